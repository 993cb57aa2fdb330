#include "simulator/mailbox/readers.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/encoding.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;

/// Lines of a plain or gzipped file, or of standard input.
class LineReader {
 public:
  explicit LineReader(const std::string& file)
      : stream_(file == "-" ? gzdopen(StandardInput(), "rb") : gzopen(file.c_str(), "rb")) {
    if (stream_ != nullptr) gzbuffer(stream_, 256 * 1024);
  }
  ~LineReader() {
    if (stream_ != nullptr) gzclose(stream_);
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool open() const { return stream_ != nullptr; }
  /// With its line end. False at the end or when the file is damaged.
  bool Next(std::string& line) {
    line.clear();
    while (true) {
      const std::size_t eol = buffer_.find('\n', position_);
      if (eol != std::string::npos) {
        line.append(buffer_, position_, eol + 1 - position_);
        position_ = eol + 1;
        return true;
      }
      line.append(buffer_, position_);
      buffer_.resize(kChunk);
      position_ = 0;
      const int count = gzread(stream_, buffer_.data(), kChunk);
      buffer_.resize(static_cast<std::size_t>(std::max(count, 0)));
      if (count < 0) damaged_ = true;
      if (count <= 0) return !line.empty();
    }
  }
  bool damaged() const { return damaged_; }

 private:
  static constexpr unsigned kChunk = 256 * 1024;
  static int StandardInput() { return ::fileno(stdin); }

  gzFile stream_;
  std::string buffer_;
  std::size_t position_ = 0;
  bool damaged_ = false;
};

std::expected<std::size_t, std::string> ReadMbox(const std::string& file, LineReader& reader,
                                                 const std::function<void(FoundMessage)>& found) {
  MboxSplitter splitter(found);
  bool first = true;
  for (std::string line; reader.Next(line);) {
    if (first && !line.starts_with("From ") && line.find_first_not_of("\r\n") != std::string::npos) {
      return std::unexpected(fmt::format(
          "{} is no mbox: its first line does not begin with \"From \". Give an mbox, a folder of .eml files, or a "
          ".jsonl file",
          file));
    }
    if (line.find_first_not_of("\r\n") != std::string::npos) first = false;
    splitter.Line(line);
  }
  splitter.Finish();
  return splitter.count();
}

/// Reads one object as make_mailbox.py prints it. "raw" is required, everything else may be missing.
std::expected<FoundMessage, std::string> ReadJsonLine(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return std::unexpected("is no JSON object");
  const json::object& object = value.as_object();
  const auto text = [&](const char* name) -> std::string_view {
    const json::value* member = object.if_contains(name);
    return member != nullptr && member->is_string() ? std::string_view(member->as_string()) : std::string_view();
  };
  const auto flag = [&](const char* name) {
    const json::value* member = object.if_contains(name);
    return member != nullptr && member->is_bool() && member->as_bool();
  };
  FoundMessage message;
  std::optional<std::string> raw = Base64Decode(text("raw"));
  if (!raw || raw->empty()) return std::unexpected("has no \"raw\" in base64");
  message.raw = std::move(*raw);
  if (const std::optional<Instant> date = ParseInstant(text("date"))) message.date = ToMicros(*date) / 1000;
  if (!text("folder").empty()) message.mailbox = std::string(text("folder"));
  if (const json::value* labels = object.if_contains("labels"); labels != nullptr && labels->is_array()) {
    for (const json::value& label : labels->as_array()) {
      if (label.is_string()) message.label_names.emplace_back(label.as_string());
    }
  }
  if (object.contains("unread")) message.unread = flag("unread");
  message.starred = flag("starred");
  return message;
}

std::expected<std::size_t, std::string> ReadJsonLines(const std::string& file, LineReader& reader,
                                                      const std::function<void(FoundMessage)>& found) {
  std::size_t count = 0;
  std::size_t number = 0;
  for (std::string line; reader.Next(line);) {
    ++number;
    if (line.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    std::expected<FoundMessage, std::string> message = ReadJsonLine(line);
    if (!message) return std::unexpected(fmt::format("{}: line {} {}", file, number, message.error()));
    found(std::move(*message));
    ++count;
  }
  return count;
}

std::expected<std::size_t, std::string> ReadFolder(const std::string& folder,
                                                   const std::function<void(FoundMessage)>& found) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_regular_file() && entry.path().extension() == ".eml") files.push_back(entry.path());
  }
  if (error) return std::unexpected(fmt::format("cannot read the folder {}: {}", folder, error.message()));
  if (files.empty()) return std::unexpected(fmt::format("the folder {} holds no .eml file", folder));
  std::ranges::sort(files);
  for (const std::filesystem::path& path : files) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return std::unexpected(fmt::format("cannot read {}", path.string()));
    FoundMessage message;
    message.raw.assign(std::istreambuf_iterator<char>(stream), {});
    found(std::move(message));
  }
  return files.size();
}

}  // namespace

void MboxSplitter::Line(std::string_view line) {
  if (line.starts_with("From ")) {
    Finish();
    inside_ = true;
    return;
  }
  if (!inside_) return;
  const std::size_t quotes = line.find_first_not_of('>');
  if (quotes != std::string_view::npos && quotes > 0 && line.substr(quotes).starts_with("From ")) {
    line.remove_prefix(1);
  }
  raw_.append(line);
}

void MboxSplitter::Finish() {
  if (!inside_) return;
  // The empty line before the next separator belongs to the container.
  if (raw_.ends_with("\r\n\r\n")) {
    raw_.resize(raw_.size() - 2);
  } else if (raw_.ends_with("\n\n")) {
    raw_.pop_back();
  }
  FoundMessage message;
  message.raw = std::move(raw_);
  raw_.clear();
  inside_ = false;
  ++count_;
  found_(std::move(message));
}

std::expected<std::size_t, std::string> ReadMessages(const std::string& file,
                                                     const std::function<void(FoundMessage)>& found) {
  std::error_code error;
  if (file != "-" && std::filesystem::is_directory(file, error)) return ReadFolder(file, found);
  if (file != "-" && !std::filesystem::exists(file, error)) {
    return std::unexpected(fmt::format("there is no file {}", file));
  }
  LineReader reader(file);
  if (!reader.open()) return std::unexpected(fmt::format("cannot open {}", file));
  const bool json_lines = file == "-" || file.ends_with(".jsonl") || file.ends_with(".jsonl.gz");
  std::expected<std::size_t, std::string> count =
      json_lines ? ReadJsonLines(file, reader, found) : ReadMbox(file, reader, found);
  if (count && reader.damaged()) return std::unexpected(fmt::format("{} is damaged or cut off", file));
  return count;
}

}  // namespace latchkey::simulator
