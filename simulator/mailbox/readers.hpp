#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace latchkey::simulator {

/// One message found in a file of mail.
struct FoundMessage {
  std::string raw;
  std::optional<std::int64_t> date;      ///< Milliseconds since 1970, when the container says it.
  std::optional<std::string> mailbox;    ///< "INBOX", "SENT", "SPAM" when the container says it.
  std::vector<std::string> label_names;  ///< User labels.
  std::optional<bool> unread;            ///< Absent: nobody knows.
  bool starred = false;
};

/// Reads every message of `file` in its order, one at a time in memory: an mbox (plain or gzip), a folder of .eml files
/// (by name), JSON Lines ("*.jsonl", plain or gzip; "-": standard input). Returns how many; the error names the file
/// and says what to do about it.
std::expected<std::size_t, std::string> ReadMessages(const std::string& file,
                                                     const std::function<void(FoundMessage)>& found);

/// Splits the text of an mbox file. A line that starts with "From " separates, mboxrd quoting (">From ") is undone.
class MboxSplitter {
 public:
  explicit MboxSplitter(std::function<void(FoundMessage)> found) : found_(std::move(found)) {}
  /// One line with its line end (the last may have none).
  void Line(std::string_view line);
  void Finish();
  std::size_t count() const { return count_; }

 private:
  std::function<void(FoundMessage)> found_;
  std::string raw_;
  bool inside_ = false;
  std::size_t count_ = 0;
};

}  // namespace latchkey::simulator
