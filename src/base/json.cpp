#include "base/json.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>

namespace latchkey::json {
namespace {

namespace bj = boost::json;

/// Builds the value and, beside it, remembers the keys of every open object: Boost.JSON itself lets the last of two
/// equal members win in silence.
struct StrictHandler {
  static constexpr std::size_t max_object_size = 100'000;
  static constexpr std::size_t max_array_size = 1'000'000;
  static constexpr std::size_t max_key_size = 64 << 10;
  static constexpr std::size_t max_string_size = bj::string::max_size();

  using Error = boost::system::error_code;

  bj::value_stack stack;
  std::vector<std::vector<std::string>> open_objects;
  std::string key;
  bool duplicate = false;
  bool not_finite = false;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t count, Error&) {
    stack.push_array(count);
    return true;
  }
  bool on_object_begin(Error&) {
    open_objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, Error& error) {
    auto& keys = open_objects.back();
    std::ranges::sort(keys);
    if (std::ranges::adjacent_find(keys) != keys.end()) {
      duplicate = true;
      error = bj::error::exception;
      return false;
    }
    open_objects.pop_back();
    stack.push_object(count);
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, Error&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(bj::string_view rest, std::size_t, Error&) {
    stack.push_string(rest);
    return true;
  }
  bool on_key_part(bj::string_view part, std::size_t, Error&) {
    stack.push_chars(part);
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view rest, std::size_t, Error&) {
    stack.push_key(rest);
    key.append(rest.data(), rest.size());
    open_objects.back().push_back(std::move(key));
    key.clear();
    return true;
  }
  bool on_number_part(bj::string_view, Error&) { return true; }
  bool on_int64(std::int64_t number, bj::string_view, Error&) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, bj::string_view, Error&) {
    stack.push_uint64(number);
    return true;
  }
  bool on_double(double number, bj::string_view, Error& error) {
    if (!std::isfinite(number)) {
      not_finite = true;
      error = bj::error::exception;
      return false;
    }
    stack.push_double(number);
    return true;
  }
  bool on_bool(bool flag, Error&) {
    stack.push_bool(flag);
    return true;
  }
  bool on_null(Error&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(bj::string_view, Error&) { return true; }
  bool on_comment(bj::string_view, Error&) { return true; }
};

std::unexpected<latchkey::Error> WrongMember(std::string_view name, std::string_view expected) {
  std::string detail = "member '";
  detail.append(name).append("' must be ").append(expected);
  return Fail(ErrorCode::kInvalidArgument, std::move(detail));
}

}  // namespace

Result<bj::value> Parse(std::string_view text) {
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  bj::basic_parser<StrictHandler> parser(options);
  StrictHandler& handler = parser.handler();
  handler.stack.reset();
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (handler.duplicate) return Fail(ErrorCode::kInvalidArgument, "json: duplicate member");
  if (handler.not_finite) return Fail(ErrorCode::kInvalidArgument, "json: number out of range");
  if (error == bj::error::incomplete) return Fail(ErrorCode::kInvalidArgument, "json: incomplete");
  if (error) return Fail(ErrorCode::kInvalidArgument, "json: " + error.message());
  if (used != text.size()) return Fail(ErrorCode::kInvalidArgument, "json: extra data");
  return handler.stack.release();
}

Result<Members> Members::Of(const bj::value& value) {
  const bj::object* object = value.if_object();
  if (!object) return Fail(ErrorCode::kInvalidArgument, "json: an object is expected");
  return Members(object);
}

const bj::value* Members::Find(std::string_view name) {
  known_.push_back(name);
  return object_->if_contains(bj::string_view(name.data(), name.size()));
}

Result<const bj::value*> Members::Value(std::string_view name) {
  const bj::value* value = Find(name);
  if (!value) return WrongMember(name, "present");
  return value;
}

Result<std::optional<std::string_view>> Members::OptionalString(std::string_view name) {
  const bj::value* value = Find(name);
  if (!value || value->is_null()) return std::nullopt;
  const bj::string* text = value->if_string();
  if (!text) return WrongMember(name, "a string");
  return std::string_view(text->data(), text->size());
}

Result<std::optional<std::int64_t>> Members::OptionalInteger(std::string_view name) {
  const bj::value* value = Find(name);
  if (!value || value->is_null()) return std::nullopt;
  const std::int64_t* number = value->if_int64();
  if (!number) return WrongMember(name, "an integer");
  return *number;
}

Result<std::optional<bool>> Members::OptionalBool(std::string_view name) {
  const bj::value* value = Find(name);
  if (!value || value->is_null()) return std::nullopt;
  const bool* flag = value->if_bool();
  if (!flag) return WrongMember(name, "true or false");
  return *flag;
}

Result<std::string_view> Members::String(std::string_view name) {
  auto text = OptionalString(name);
  if (!text) return Fail(std::move(text.error()));
  if (!*text) return WrongMember(name, "a string");
  return **text;
}

Result<std::int64_t> Members::Integer(std::string_view name) {
  auto number = OptionalInteger(name);
  if (!number) return Fail(std::move(number.error()));
  if (!*number) return WrongMember(name, "an integer");
  return **number;
}

Result<bool> Members::Bool(std::string_view name) {
  auto flag = OptionalBool(name);
  if (!flag) return Fail(std::move(flag.error()));
  if (!*flag) return WrongMember(name, "true or false");
  return **flag;
}

Result<std::vector<std::string>> Members::Strings(std::string_view name, std::size_t max) {
  const bj::value* value = Find(name);
  std::vector<std::string> texts;
  if (!value) return texts;
  const bj::array* array = value->if_array();
  if (!array) return WrongMember(name, "an array of strings");
  if (array->size() > max) return WrongMember(name, "a shorter array");
  texts.reserve(array->size());
  for (const bj::value& element : *array) {
    const bj::string* text = element.if_string();
    if (!text) return WrongMember(name, "an array of strings");
    texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

Result<void> Members::RefuseOthers() const {
  if (object_->size() > known_.size()) return Fail(ErrorCode::kInvalidArgument, "json: unknown member");
  for (const auto& member : *object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known_, name) == known_.end()) {
      return Fail(ErrorCode::kInvalidArgument, "json: unknown member");
    }
  }
  return {};
}

}  // namespace latchkey::json
