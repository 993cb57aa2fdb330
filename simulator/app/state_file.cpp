#include "simulator/app/state_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace latchkey::simulator {

bool WriteFileAtomically(const std::string& path, const boost::json::object& content) {
  const std::string temporary = fmt::format("{}.{}", path, getpid());
  const mode_t previous = umask(0077);
  std::ofstream out(temporary);
  umask(previous);
  out << boost::json::serialize(content) << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(temporary, path, error);
  return out && !error;
}

std::expected<StateFile, std::string> StateFile::Open(std::string path, Instant now) {
  StateFile state;
  state.path_ = std::move(path);
  state.began_ = now;
  std::ifstream in(state.path_);
  if (state.path_.empty() || !in) return state;
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  boost::system::error_code error;
  const boost::json::value saved = boost::json::parse(text, error);
  const auto* object = saved.if_object();
  const auto* began = object ? object->if_contains("began") : nullptr;
  const auto* grants = object ? object->if_contains("google") : nullptr;
  const auto instant = began && began->is_string() ? ParseInstant(std::string_view(began->as_string())) : std::nullopt;
  if (error || !instant || !grants || !grants->is_object()) {
    return std::unexpected(
        fmt::format("{} is not a state file of this program. Delete it or name another.", state.path_));
  }
  state.began_ = *instant;
  state.saved_grants_ = grants->as_object();
  // Absent in a file of a version that knew Google only.
  if (const auto* microsoft = object->if_contains("microsoft"); microsoft && microsoft->is_object()) {
    state.saved_microsoft_ = microsoft->as_object();
  }
  return state;
}

std::expected<void, std::string> StateFile::Attach(GrantStore& grants, entra::EntraGrants& microsoft,
                                                   const AccountRegistry& accounts) {
  if (path_.empty()) return {};
  if ((!saved_grants_.empty() && !grants.Load(saved_grants_, accounts)) ||
      (!saved_microsoft_.empty() && !microsoft.Load(saved_microsoft_, accounts))) {
    return std::unexpected(fmt::format("{} is not a state file of this program. Delete it or name another.", path_));
  }
  grants_ = &grants;
  microsoft_ = &microsoft;
  if (!Save()) {
    return std::unexpected(fmt::format("cannot write {}. Choose a writable place with --state.", path_));
  }
  const auto save = [this] {
    if (!Save()) fmt::print(stderr, "cannot write {}\n", path_);
  };
  grants.OnChange(save);
  microsoft.OnChange(save);
  return {};
}

bool StateFile::Save() const {
  boost::json::object content;
  content["began"] = FormatInstant(began_);
  content["google"] = grants_->Save();
  content["microsoft"] = microsoft_->Save();
  return WriteFileAtomically(path_, content);
}

}  // namespace latchkey::simulator
