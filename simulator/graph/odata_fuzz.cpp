#include <cstdint>
#include <string_view>

#include "simulator/graph/graph_service.hpp"
#include "simulator/graph/odata.hpp"

#include <boost/json/parse.hpp>

// What anybody may put into $filter, $orderby, $select and the body of a $batch: no crash, and a filter that was
// accepted can be evaluated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::simulator::graph;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto filter = Filter::Parse(text)) {
    const auto read = [](std::string_view) { return std::optional<ODataValue>(ODataValue(std::string("text"))); };
    const auto list = [](std::string_view) { return std::vector<std::string>{"Red"}; };
    static_cast<void>(filter->Matches(read, list));
    static_cast<void>(filter->Properties());
  }
  static_cast<void>(OrderBy::Parse(text));
  static_cast<void>(QueryOptions::Parse(latchkey::simulator::Parameters::Parse(text), 1000));
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(text, error);
  if (!error && body.is_object()) static_cast<void>(ParseBatch(body.as_object()));
  return 0;
}
