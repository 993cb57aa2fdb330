#include "simulator/calendar/files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "simulator/calendar/ics.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFile = 64 * 1024 * 1024;

std::expected<std::string, std::string> ReadFile(const fs::path& path) {
  std::error_code error;
  if (fs::file_size(path, error) > kMaxFile || error) {
    return std::unexpected(fmt::format(
        "{} cannot be read, or is larger than 64 MiB. Name an iCalendar file or a folder of them.", path.string()));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::unexpected(fmt::format("{} cannot be opened. Check its name and rights.", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::size_t Fill(CalendarStore& store, const Account& account, Calendar& calendar, ImportedCalendar imported) {
  if (!imported.zone.empty() && imported.zone != calendar.zone) {
    calendar.zone = imported.zone;
    store.CalendarChanged(account, calendar);
  }
  KeepNewestRevisions(imported);
  std::size_t count = 0;
  for (Event& event : imported.events) {
    if (calendar.events.size() >= CalendarStore::kMaxEvents) break;
    store.Put(account, calendar, std::move(event));
    ++count;
  }
  return count;
}

}  // namespace

std::expected<std::size_t, std::string> ImportText(CalendarStore& store, const Account& account,
                                                   std::string_view text) {
  Calendar& primary = store.Book(account).primary();
  ImportedCalendar imported = ImportIcs(text, {account.email, account.name}, primary.zone);
  if (imported.events.empty() && !imported.problems.empty()) return std::unexpected(imported.problems.front());
  return Fill(store, account, primary, std::move(imported));
}

std::expected<std::size_t, std::string> ImportCalendarFile(CalendarStore& store, const Account& account,
                                                           const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    const auto text = ReadFile(path);
    if (!text) return std::unexpected(text.error());
    auto imported = ImportText(store, account, *text);
    if (!imported) return std::unexpected(fmt::format("{}: {}", path, imported.error()));
    return imported;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".ics" || extension == ".vcs") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    return std::unexpected(fmt::format("{} holds no .ics file. Name a folder that does, or a file.", path));
  }
  std::ranges::sort(files);
  std::size_t count = 0;
  for (const fs::path& file : files) {
    const auto text = ReadFile(file);
    if (!text) return std::unexpected(text.error());
    Calendar& calendar = store.AddCalendar(account, file.stem().string());
    ImportedCalendar imported = ImportIcs(*text, {calendar.id, calendar.summary}, calendar.zone);
    // Its own name stands in the description: the file's is what a test can look for.
    calendar.description = imported.name;
    count += Fill(store, account, calendar, std::move(imported));
  }
  return count;
}

}  // namespace latchkey::simulator::calendar
