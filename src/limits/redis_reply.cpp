#include "limits/redis_reply.hpp"

#include <hiredis/read.h>

#include <iterator>
#include <new>

#include <fmt/format.h>

namespace latchkey::limits {
namespace {

using Kind = RedisReply::Kind;

// hiredis builds answers through these: of our own type and without lists, so that no length which a server names is
// ever allocated before its bytes are here.
void* MakeText(const redisReadTask* task, char* bytes, std::size_t size) {
  auto* reply = new (std::nothrow) RedisReply();
  if (reply == nullptr) return nullptr;
  reply->kind = task->type == REDIS_REPLY_STATUS  ? Kind::kStatus
                : task->type == REDIS_REPLY_ERROR ? Kind::kError
                                                  : Kind::kText;
  reply->text.assign(bytes, size);
  return reply;
}
void* MakeList(const redisReadTask*, int) { return nullptr; }
void* MakeNumber(const redisReadTask*, long long value) {
  auto* reply = new (std::nothrow) RedisReply();
  if (reply == nullptr) return nullptr;
  reply->kind = Kind::kNumber;
  reply->number = value;
  return reply;
}
void* MakeNothing(const redisReadTask*) { return new (std::nothrow) RedisReply(); }
void Free(void* reply) { delete static_cast<RedisReply*>(reply); }

redisReplyObjectFunctions kFunctions = {MakeText, MakeList, MakeNumber, MakeNothing, Free};

}  // namespace

ReplyReader::ReplyReader() : reader_(redisReaderCreateWithFunctions(&kFunctions)) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

ReplyReader::~ReplyReader() { redisReaderFree(reader_); }

bool ReplyReader::Feed(std::string_view bytes) {
  if (broken_) return false;
  broken_ = redisReaderFeed(reader_, bytes.data(), bytes.size()) != 0;
  return !broken_;
}

std::optional<RedisReply> ReplyReader::Next() {
  if (broken_) return std::nullopt;
  void* raw = nullptr;
  if (redisReaderGetReply(reader_, &raw) != 0) {
    broken_ = true;
    return std::nullopt;
  }
  if (raw == nullptr) {
    broken_ = reader_->len - reader_->pos > kLongestReply;
    return std::nullopt;
  }
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(raw));
  return std::move(*reply);
}

void AppendCommand(std::string& out, std::span<const std::string_view> words) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
  for (const auto word : words) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
    out.append(word).append("\r\n");
  }
}

}  // namespace latchkey::limits
