#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/id.hpp"
#include "base/secret.hpp"

namespace latchkey::log {

enum class Level { kDebug, kInfo, kWarning, kError };

/// One named value of an event. There is deliberately no constructor from Secret.
struct Field {
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  std::string_view name;
  Value value;

  Field(std::string_view field, std::string_view text) : name(field), value(std::string(text)) {}
  Field(std::string_view field, const std::string& text) : name(field), value(text) {}
  Field(std::string_view field, const char* text) : name(field), value(std::string(text)) {}
  Field(std::string_view field, bool flag) : name(field), value(flag) {}
  Field(std::string_view field, double number) : name(field), value(number) {}
  template <class Integer>
    requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>)
  Field(std::string_view field, Integer number) : name(field), value(static_cast<std::int64_t>(number)) {}
  template <class Tag>
  Field(std::string_view field, const Id<Tag>& id) : name(field), value(id.text()) {}
  template <class T>
  Field(std::string_view field, const Secret<T>&) = delete;
};

/// Writes one JSON line to standard error: {"time","level","event",...fields}. `event` is a stable dotted name such as
/// "job.failed". Control characters are escaped. Any thread. Never pass tokens, bodies or full addresses.
void Write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void Debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  Write(Level::kDebug, event, fields);
}
inline void Info(std::string_view event, std::initializer_list<Field> fields = {}) {
  Write(Level::kInfo, event, fields);
}
inline void Warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  Write(Level::kWarning, event, fields);
}
inline void Failure(std::string_view event, std::initializer_list<Field> fields = {}) {
  Write(Level::kError, event, fields);
}

void SetLevel(Level level);

}  // namespace latchkey::log
