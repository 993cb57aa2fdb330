#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct redisReader;

namespace latchkey::limits {

/// One answer of Redis (RESP2). Lists are not read: nothing here asks for one.
struct RedisReply {
  enum class Kind { kNothing, kStatus, kText, kNumber, kError };
  Kind kind = Kind::kNothing;
  std::int64_t number = 0;
  std::string text;  ///< Of a status, a text or an error ("OOM command not allowed ...").
};

/// Takes a stream of answers apart, with hiredis' parser. Not thread-safe.
class ReplyReader {
 public:
  /// An answer longer than this is refused: what we ask for has a few bytes.
  static constexpr std::size_t kLongestReply = 16 * 1024;

  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  /// False when this is no answer we could have asked for; nothing can be read after that.
  bool Feed(std::string_view bytes);
  /// The next whole answer; nullopt when more bytes are needed, or broken() says why not.
  std::optional<RedisReply> Next();
  bool broken() const { return broken_; }

 private:
  redisReader* reader_;
  bool broken_ = false;
};

/// Appends one command in Redis' protocol.
void AppendCommand(std::string& out, std::span<const std::string_view> words);

}  // namespace latchkey::limits
