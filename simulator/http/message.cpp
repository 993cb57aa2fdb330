#include "simulator/http/message.hpp"

#include <algorithm>

namespace latchkey::simulator {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Unescape(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else if (text[i] == '+' && plus_is_blank) {
      out.push_back(' ');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

Response WithType(int status, std::string type, std::string body) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return Lower(x) == Lower(y); });
}

const std::string* Headers::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (EqualsIgnoreCase(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view Headers::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value ? std::string_view(*value) : std::string_view();
}

void Headers::Set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const Field& field) { return EqualsIgnoreCase(field.name, name); });
  Add(std::move(name), std::move(value));
}

Parameters Parameters::Parse(std::string_view encoded) {
  Parameters result;
  while (!encoded.empty()) {
    const std::size_t end = encoded.find('&');
    const std::string_view pair = encoded.substr(0, end);
    encoded = end == std::string_view::npos ? std::string_view() : encoded.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    result.pairs_.emplace_back(Unescape(pair.substr(0, equals), true), Unescape(value, true));
  }
  return result;
}

const std::string* Parameters::Find(std::string_view name) const {
  for (const auto& [key, value] : pairs_) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view Parameters::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value ? std::string_view(*value) : std::string_view();
}

std::vector<std::string_view> Parameters::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : pairs_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

void Request::SetTarget(std::string raw_target) {
  if (const std::size_t authority = raw_target.find("://"); authority != std::string::npos && raw_target[0] != '/') {
    const std::size_t slash = raw_target.find('/', authority + 3);
    raw_target = slash == std::string::npos ? "/" : raw_target.substr(slash);
  }
  target = std::move(raw_target);
  const std::size_t question = target.find('?');
  path = target.substr(0, question);
  query =
      question == std::string::npos ? Parameters() : Parameters::Parse(std::string_view(target).substr(question + 1));
  segments.clear();
  std::string_view rest = path;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    segments.push_back(Unescape(rest.substr(0, slash), false));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
}

Response JsonResponse(int status, std::string body) {
  return WithType(status, "application/json; charset=UTF-8", std::move(body));
}
Response HtmlResponse(int status, std::string body) {
  return WithType(status, "text/html; charset=utf-8", std::move(body));
}
Response TextResponse(int status, std::string body) {
  return WithType(status, "text/plain; charset=utf-8", std::move(body));
}
Response RedirectResponse(std::string location) {
  Response response;
  response.status = 302;
  response.headers.Add("Location", std::move(location));
  return response;
}

void Deferred::Complete(Response response) {
  if (done_) return;
  done_ = true;
  if (ready_) {
    const auto ready = std::move(ready_);
    ready(std::move(response));
  } else {
    response_ = std::move(response);
  }
}

void Deferred::Then(std::function<void(Response)> ready) {
  if (response_) {
    Response response = std::move(*response_);
    response_.reset();
    ready(std::move(response));
  } else {
    ready_ = std::move(ready);
  }
}

Response Transform(Response response, std::function<Response(Response)> change) {
  if (!response.deferred) return change(std::move(response));
  auto outer = std::make_shared<Deferred>();
  response.deferred->Then(
      [outer, change = std::move(change)](Response answer) { outer->Complete(change(std::move(answer))); });
  Response later;
  later.deferred = std::move(outer);
  return later;
}

}  // namespace latchkey::simulator
