#include "simulator/http/protocol.hpp"

#include <array>
#include <ctime>

#include <boost/beast/http/status.hpp>

namespace latchkey::simulator {

const std::string& HttpDate() {
  thread_local std::time_t made_at = 0;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); now != made_at) {
    made_at = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 40> buffer{};
    text.assign(buffer.data(), std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc));
  }
  return text;
}

std::string_view ReasonPhrase(int status) {
  const auto phrase =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {phrase.data(), phrase.size()};
}

}  // namespace latchkey::simulator
