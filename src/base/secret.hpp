#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace latchkey {

/// A value that cannot print itself: formatting and streaming give "***". Reading it takes the explicit word Reveal(),
/// so that every place where a secret leaves its wrapper can be found by searching for that word.
template <class T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}

  const T& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  T value_{};
};

using SecretString = Secret<std::string>;

template <class Stream, class T>
Stream& operator<<(Stream& out, const Secret<T>&) {
  out << "***";
  return out;
}

}  // namespace latchkey

template <class T>
struct fmt::formatter<latchkey::Secret<T>> : fmt::formatter<std::string_view> {
  auto format(const latchkey::Secret<T>&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
