#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "limits/redis_reply.hpp"

namespace {

using latchkey::limits::RedisReply;
using latchkey::limits::ReplyReader;

std::vector<RedisReply> Read(std::string_view bytes, std::size_t piece) {
  ReplyReader reader;
  std::vector<RedisReply> replies;
  while (!bytes.empty() && reader.Feed(bytes.substr(0, piece))) {
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (auto reply = reader.Next()) replies.push_back(std::move(*reply));
  }
  return replies;
}

}  // namespace

/// What a server sends means the same in whatever pieces it arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = Read(bytes, 4096);
  const auto pieces = Read(bytes, 3);
  // Small pieces may meet the bound on unread bytes later or earlier within one answer, never another answer.
  for (std::size_t i = 0; i < std::min(whole.size(), pieces.size()); ++i) {
    if (whole[i].kind != pieces[i].kind || whole[i].number != pieces[i].number || whole[i].text != pieces[i].text) {
      std::abort();
    }
  }
  return 0;
}
