#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "providers/google/gmail_answers.hpp"
#include "providers/google/gmail_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto copy = [&] { return std::string(input); };
  std::string json = copy();
  if (const auto parsed = latchkey::google::ParseGmailMessage(json)) {
    const auto& message = parsed->message;
    if (message.text.size() > latchkey::google::kMaxBodyBytes ||
        message.html.size() > latchkey::google::kMaxBodyBytes) {
      std::abort();
    }
    for (const std::string* text : {&message.subject, &message.text, &message.html, &message.snippet}) {
      if (!simdjson::validate_utf8(*text) || text->find('\0') != std::string::npos) std::abort();
    }
  }
  json = copy();
  static_cast<void>(latchkey::google::ParseHistory(json));
  json = copy();
  static_cast<void>(latchkey::google::ParseLabels(json));
  json = copy();
  static_cast<void>(latchkey::google::ParseIdPage(json));
  return 0;
}
