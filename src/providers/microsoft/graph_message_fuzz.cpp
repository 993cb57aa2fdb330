#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "providers/microsoft/graph_message.hpp"

namespace {

void Check(const latchkey::mail::Message& message) {
  if (message.text.size() > latchkey::microsoft::kMaxBodyBytes ||
      message.html.size() > latchkey::microsoft::kMaxBodyBytes) {
    std::abort();
  }
  for (const std::string* text : {&message.subject, &message.text, &message.html, &message.snippet}) {
    if (!simdjson::validate_utf8(*text) || text->find('\0') != std::string::npos) std::abort();
  }
  for (const auto& person : message.to) {
    if (!simdjson::validate_utf8(person.name) || !simdjson::validate_utf8(person.address)) std::abort();
  }
  for (const auto& label : message.label_ids) {
    if (!simdjson::validate_utf8(label) || label.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const latchkey::Instant asked_at = latchkey::FromMicros(1'800'000'000'000'000);
  std::string json(input);
  if (const auto parsed = latchkey::microsoft::ParseGraphMessage(json, asked_at)) Check(parsed->message);
  json = input;
  if (const auto page = latchkey::microsoft::ParseGraphMessagePage(json, asked_at)) {
    for (const auto& parsed : page->messages) Check(parsed.message);
  }
  json = input;
  static_cast<void>(latchkey::microsoft::ParseGraphAttachments(json));
  json = input;
  static_cast<void>(latchkey::microsoft::ParseGraphFolders(json));
  json = input;
  static_cast<void>(latchkey::microsoft::ParseGraphFolder(json));
  return 0;
}
