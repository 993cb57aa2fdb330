#include "storage/message_content.hpp"

#include <zstd.h>

#include <memory>
#include <vector>

namespace latchkey::storage {
namespace {

constexpr char kFormat = 1;
// Level 1: at 5 to 20 KB a message higher levels save a few percent of space and cost twice the time.
constexpr int kLevel = 1;
constexpr std::size_t kKeptScratch = 1 << 20;
// A message is bounded long before it gets here; this only stops a damaged length from asking for all memory.
constexpr unsigned long long kMaxContent = 256ULL << 20;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}
  void Number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(0x80 | (value & 0x7f));
    out_ += static_cast<char>(value);
  }
  void Text(std::string_view text) {
    Number(text.size());
    out_ += text;
  }
  void Addresses(const std::vector<mail::Address>& addresses) {
    Number(addresses.size());
    for (const auto& address : addresses) {
      Text(address.name);
      Text(address.address);
    }
  }

 private:
  std::string& out_;
};

/// Reads what FieldWriter wrote; after any fault everything is empty and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}
  bool ok() const { return ok_; }
  bool AtEnd() const { return in_.empty(); }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    return Broken();
  }
  std::string Text() {
    const std::uint64_t size = Number();
    if (size > in_.size()) Broken();
    if (!ok_) return {};
    std::string text(in_.substr(0, size));
    in_.remove_prefix(size);
    return text;
  }
  /// How many items follow; each takes at least one byte, so a damaged count cannot reserve much.
  std::size_t Count() {
    const std::uint64_t count = Number();
    if (count > in_.size()) return Broken();
    return count;
  }
  std::vector<mail::Address> Addresses() {
    std::vector<mail::Address> addresses(Count());
    for (auto& address : addresses) {
      address.name = Text();
      address.address = Text();
    }
    return addresses;
  }

 private:
  std::uint64_t Broken() {
    ok_ = false;
    in_ = {};
    return 0;
  }
  std::string_view in_;
  bool ok_ = true;
};

std::string Plain(const mail::Message& message) {
  std::string plain;
  plain.reserve(message.text.size() + message.html.size() + 512);
  plain += kFormat;
  FieldWriter writer(plain);
  writer.Text(message.text);
  writer.Text(message.html);
  writer.Addresses(message.from);
  writer.Addresses(message.to);
  writer.Addresses(message.cc);
  writer.Addresses(message.bcc);
  writer.Addresses(message.reply_to);
  writer.Text(message.in_reply_to);
  writer.Number(message.references.size());
  for (const auto& reference : message.references) writer.Text(reference);
  return plain;
}

}  // namespace

std::string EncodeContent(const mail::Message& message) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  // Kept between messages: nothing is allocated or cleared for the usual one, and a huge one is not held for ever.
  thread_local std::vector<char> scratch;
  const std::string plain = Plain(message);
  const std::size_t bound = ZSTD_compressBound(plain.size());
  if (scratch.size() < bound) scratch.resize(bound);
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), scratch.data(), scratch.size(), plain.data(), plain.size(), kLevel);
  std::string packed(scratch.data(), size);
  if (scratch.size() > kKeptScratch) scratch = {};
  return packed;
}

Result<void> DecodeContent(std::string_view bytes, mail::Message& message) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMaxContent || size == 0) {
    return Fail(ErrorCode::kInternal, "a stored message body is not a frame of ours");
  }
  std::string plain(size, '\0');
  const std::size_t got = ZSTD_decompressDCtx(context.get(), plain.data(), plain.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) || got != size || plain.front() != kFormat) {
    return Fail(ErrorCode::kInternal, "a stored message body is damaged or of an unknown format");
  }
  FieldReader reader(std::string_view(plain).substr(1));
  message.text = reader.Text();
  message.html = reader.Text();
  message.from = reader.Addresses();
  message.to = reader.Addresses();
  message.cc = reader.Addresses();
  message.bcc = reader.Addresses();
  message.reply_to = reader.Addresses();
  message.in_reply_to = reader.Text();
  message.references.resize(reader.Count());
  for (auto& reference : message.references) reference = reader.Text();
  if (!reader.ok() || !reader.AtEnd()) return Fail(ErrorCode::kInternal, "a stored message body is damaged");
  return {};
}

}  // namespace latchkey::storage
