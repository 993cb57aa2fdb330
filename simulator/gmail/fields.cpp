#include "simulator/gmail/fields.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace latchkey::simulator {
namespace {

/// One level of a selection: names and what is selected below them. An empty list selects everything.
struct Selection {
  struct Entry {
    std::string name;
    Selection* below = nullptr;
  };
  std::vector<Entry> entries;

  const Entry* Find(std::string_view name) const {
    for (const Entry& entry : entries) {
      if (entry.name == name || entry.name == "*") return &entry;
    }
    return nullptr;
  }
};

/// Reads `a,b(c,d/e),f/g`. Selections live in `pool_`.
class SelectionParser {
 public:
  explicit SelectionParser(std::string_view text) : text_(text) {}

  const Selection* Parse() {
    Selection* root = New();
    if (!ReadList(root, 0) || position_ != text_.size() || root->entries.empty()) return nullptr;
    return root;
  }

 private:
  // Gmail's deepest useful selection has four levels.
  static constexpr int kMaxDepth = 20;

  Selection* New() { return pool_.emplace_back(std::make_unique<Selection>()).get(); }

  /// The entry of that name, made if it is new: "payload/headers,payload/body" selects two members of one object. A
  /// name that was selected whole before keeps being so.
  static Selection::Entry& EntryOf(Selection& level, std::string_view name, bool& whole) {
    for (Selection::Entry& entry : level.entries) {
      if (entry.name == name) {
        whole = entry.below == nullptr;
        return entry;
      }
    }
    whole = false;
    return level.entries.emplace_back(Selection::Entry{.name = std::string(name)});
  }

  bool ReadList(Selection* into, int depth) {
    if (depth > kMaxDepth) return false;
    while (true) {
      Selection* level = into;
      bool nested = true;
      while (nested) {  // name/name/name, maybe with (list) at the end
        const std::size_t end = std::min(text_.find_first_of(",()/", position_), text_.size());
        const std::string_view name = text_.substr(position_, end - position_);
        if (name.empty()) return false;
        position_ = end;
        bool whole = false;
        Selection::Entry& entry = EntryOf(*level, name, whole);
        const char next = position_ < text_.size() ? text_[position_] : ',';
        nested = next == '/';
        if (next != '/' && next != '(') {
          entry.below = nullptr;
          break;
        }
        ++position_;
        // What stands below a name that is selected whole is read and forgotten.
        Selection* below = whole ? New() : entry.below;
        if (below == nullptr) below = entry.below = New();
        level = below;
        if (next == '(') {
          if (!ReadList(below, depth + 1)) return false;
          if (position_ >= text_.size() || text_[position_] != ')') return false;
          ++position_;
        }
      }
      if (position_ >= text_.size() || text_[position_] != ',') return true;
      ++position_;
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::vector<std::unique_ptr<Selection>> pool_;
};

/// Walks JSON that the simulator wrote itself: valid and without blanks.
class Filter {
 public:
  Filter(std::string_view json, std::string& out) : json_(json), out_(out) {}

  /// Copies the value at the cursor as far as `selection` asks; nullptr means all of it.
  void CopyValue(const Selection* selection) {
    if (selection == nullptr) {
      const std::size_t start = at_;
      SkipValue();
      out_.append(json_, start, at_ - start);
    } else if (json_[at_] == '{') {
      CopyObject(*selection);
    } else if (json_[at_] == '[') {
      CopyArray(*selection);
    } else {
      CopyValue(nullptr);
    }
  }

 private:
  void CopyObject(const Selection& selection) {
    out_.push_back('{');
    ++at_;
    bool first = true;
    while (json_[at_] != '}') {
      const std::size_t name_start = at_ + 1;
      SkipString();
      const std::string_view name = json_.substr(name_start, at_ - 1 - name_start);
      ++at_;  // ':'
      if (const Selection::Entry* entry = selection.Find(name)) {
        if (!first) out_.push_back(',');
        first = false;
        out_.append("\"").append(name).append("\":");
        CopyValue(entry->below);
      } else {
        SkipValue();
      }
      if (json_[at_] == ',') ++at_;
    }
    ++at_;
    out_.push_back('}');
  }

  void CopyArray(const Selection& selection) {
    out_.push_back('[');
    ++at_;
    bool first = true;
    while (json_[at_] != ']') {
      if (!first) out_.push_back(',');
      first = false;
      CopyValue(&selection);
      if (json_[at_] == ',') ++at_;
    }
    ++at_;
    out_.push_back(']');
  }

  void SkipString() {
    ++at_;
    while (true) {
      const auto* quote = static_cast<const char*>(std::memchr(json_.data() + at_, '"', json_.size() - at_));
      const std::size_t end = static_cast<std::size_t>(quote - json_.data());
      std::size_t backslashes = 0;
      while (end - backslashes > at_ && json_[end - backslashes - 1] == '\\') ++backslashes;
      at_ = end + 1;
      if (backslashes % 2 == 0) return;
    }
  }

  void SkipValue() {
    int depth = 0;
    do {
      const char c = json_[at_];
      if (c == '"') {
        SkipString();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
      if (depth == 0 && c != '}' && c != ']') {
        // A number or a word.
        while (at_ < json_.size() && json_[at_] != ',' && json_[at_] != '}' && json_[at_] != ']') ++at_;
      }
    } while (depth > 0);
  }

  std::string_view json_;
  std::string& out_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> SelectFields(std::string_view json, std::string_view fields) {
  SelectionParser parser(fields);
  const Selection* selection = parser.Parse();
  if (selection == nullptr) return std::nullopt;
  std::string out;
  out.reserve(json.size() / 2);
  if (!json.empty()) Filter(json, out).CopyValue(selection);
  return out;
}

std::string PrettyPrint(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 4);
  std::size_t depth = 0;
  const auto new_line = [&] {
    out.push_back('\n');
    out.append(depth * 2, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      std::size_t end = i + 1;
      while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      out.append(json, i, end + 1 - i);
      i = end;
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      if (i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']')) {
        out.push_back(json[++i]);
        continue;
      }
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      out.push_back(c);
    } else if (c == ',') {
      out.push_back(c);
      new_line();
    } else if (c == ':') {
      out.append(": ");
    } else {
      out.push_back(c);
    }
  }
  out.push_back('\n');
  return out;
}

}  // namespace latchkey::simulator
