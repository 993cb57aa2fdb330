#pragma once

#include <bit>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace latchkey::json {

/// Appends `text` as a JSON string with its quotes. Control characters, quote and backslash are escaped, all else is
/// copied: `text` must be valid UTF-8. Looks at sixteen bytes at a time, because answers are mostly clean text.
void AppendQuoted(std::string& out, std::string_view text);

/// Writes JSON straight into a string, with commas where they belong. The caller keeps begin and end in balance and
/// gives Key() before every value in an object. Not shared between threads.
///
///   json::Writer out;
///   out.BeginObject().Member("id", id.text()).Member("unread", 3).Key("labels").BeginArray().EndArray().EndObject();
class Writer {
 public:
  explicit Writer(std::size_t expected_bytes = 256) { out_.reserve(expected_bytes); }

  Writer& BeginObject() { return Open('{'); }
  Writer& EndObject() { return Close('}'); }
  Writer& BeginArray() { return Open('['); }
  Writer& EndArray() { return Close(']'); }

  /// `name` must need no escaping: names are ours.
  Writer& Key(std::string_view name) {
    Separate();
    out_.push_back('"');
    out_.append(name);
    out_.append("\":", 2);
    comma_ = false;
    return *this;
  }

  Writer& Value(std::string_view text) {
    Separate();
    AppendQuoted(out_, text);
    return *this;
  }
  Writer& Value(const char* text) { return Value(std::string_view(text)); }
  Writer& Value(const std::string& text) { return Value(std::string_view(text)); }
  Writer& Value(std::same_as<bool> auto flag) {
    Separate();
    out_.append(flag ? std::string_view("true") : std::string_view("false"));
    return *this;
  }
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
  Writer& Value(Integer number) {
    Separate();
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out_.append(digits, end);
    return *this;
  }
  /// Not finite: null, because JSON has no other word for it.
  Writer& Value(double number);
  Writer& Null() { return Raw("null"); }
  template <class T>
  Writer& Value(const std::optional<T>& value) {
    return value ? Value(*value) : Null();
  }
  /// `json` must be one complete JSON value.
  Writer& Raw(std::string_view json) {
    Separate();
    out_.append(json);
    return *this;
  }

  template <class T>
  Writer& Member(std::string_view name, const T& value) {
    Key(name);
    return Value(value);
  }

  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  void Separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  Writer& Open(char bracket) {
    Separate();
    out_.push_back(bracket);
    comma_ = false;
    return *this;
  }
  Writer& Close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
    return *this;
  }

  std::string out_;
  bool comma_ = false;
};

}  // namespace latchkey::json
