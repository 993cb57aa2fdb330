#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::simulator {

/// Appends JSON to a string. Commas come by themselves; the caller keeps the nesting right. Message bodies are most of
/// what the simulator sends, so both hot loops (escaping, base64url) work in blocks.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  /// `name` needs no escaping.
  JsonWriter& Key(std::string_view name);
  /// `text` must be UTF-8.
  JsonWriter& String(std::string_view text);
  JsonWriter& Number(std::int64_t value);
  JsonWriter& Bool(bool value);
  /// A number in quotes, as Google writes 64-bit values.
  JsonWriter& QuotedNumber(std::uint64_t value);
  JsonWriter& QuotedNumber(std::int64_t value);
  /// The bytes in base64url.
  JsonWriter& Base64Url(std::string_view bytes, bool padded);
  /// Text that is JSON already.
  JsonWriter& Raw(std::string_view json);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string& out_;
};

/// Appends `text` with the escapes of RFC 8259 section 7, without quotes around it.
void AppendJsonEscaped(std::string& out, std::string_view text);
/// RFC 4648 section 5.
void AppendBase64Url(std::string& out, std::string_view bytes, bool padded);

}  // namespace latchkey::simulator
