#include "tests/chaos/cluster.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::chaos {
namespace {

// Shared by all processes, as DATABASE_URL is. Made up for this test.
constexpr const char* kSessionSecret = "a-session-secret-of-the-chaos-test-only-0001";
constexpr const char* kJwtSecret = "a-signing-secret-of-the-chaos-test-only-0002";
constexpr const char* kEncryptionKey = "6d0f3a52c1b84e97a5d2f0768be9143c5a7e2190d4c68bf3e1079a5d2c4b8f60";
constexpr std::size_t kLogShown = 8000;

}  // namespace

Cluster::Cluster()
    : simulator_({"--account", std::string(integration::kAda) + "=Ada Example", "--account",
                  std::string(integration::kGrace) + "=Grace Example"}) {
  postgres_.Query("postgres", "CREATE DATABASE latchkey");
  database_network_.SetTargets({postgres_.port()});
  for (int i = 0; i < 2; ++i) {
    web_.push_back(NewServer("web"));
    workers_.push_back(NewServer("worker"));
  }
}

std::unique_ptr<integration::Server> Cluster::NewServer(const std::string& role) {
  const integration::Server::Environment settings = {
      {"LATCHKEY_ROLE", role},
      {"LATCHKEY_PUBLIC_URL", "http://localhost:" + std::to_string(balancer_.port())},
      {"DATABASE_URL", postgres_.Url(database_network_.port(), "latchkey")},
      {"REDIS_URL", redis_.url()},
      {"SESSION_SECRET", kSessionSecret},
      {"JWT_SECRET", kJwtSecret},
      {"ENCRYPTION_KEY", kEncryptionKey},
      {"AUTH_MICROSOFT_CLIENT_ID", integration::kMicrosoftClientId},
      {"AUTH_MICROSOFT_CLIENT_SECRET", integration::kMicrosoftClientSecret},
      {"MICROSOFT_DISCOVERY_URL", simulator_.microsoft_discovery_url()},
      {"MICROSOFT_GRAPH_URL", simulator_.url()},
  };
  return std::make_unique<integration::Server>(simulator_, settings);
}

std::string Cluster::Revive() {
  std::string why;
  postgres_.Revive();
  for (auto* group : {&web_, &workers_}) {
    for (auto& server : *group) {
      if (server->running()) continue;
      try {
        server->Start();
      } catch (const std::runtime_error& error) {
        why = error.what();
      }
    }
  }
  balancer_.SetTargets({web_[0]->port(), web_[1]->port()});
  return why;
}

void Cluster::StartAll() {
  std::string why;
  const bool up = integration::WaitUntil([&] {
    why = Revive();
    return why.empty();
  });
  if (!up) throw std::runtime_error(why);
}

std::string Cluster::logs() const {
  std::string all;
  for (const auto* group : {&web_, &workers_}) {
    for (const auto& server : *group) {
      const auto log = server->log();
      all += "--- " + server->data_directory() + "\n" + log.substr(log.size() - std::min(log.size(), kLogShown));
    }
  }
  return all;
}

std::vector<int> Cluster::StopAll() {
  std::vector<int> codes;
  for (auto* group : {&web_, &workers_}) {
    for (auto& server : *group) codes.push_back(server->Stop());
  }
  return codes;
}

}  // namespace latchkey::chaos
