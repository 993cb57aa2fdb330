#include "tests/chaos/faults.hpp"

#include <signal.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace latchkey::chaos {
namespace {

namespace bj = boost::json;

std::size_t Pick(Random& random, std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
}

void AddProcessFaults(std::vector<Fault>& faults, Cluster& cluster, Random& random) {
  for (const bool web : {false, true}) {
    const std::string role = web ? "web" : "worker";
    const auto any = [&cluster, &random, web]() -> integration::Server& {
      const auto which = Pick(random, 2);
      return web ? cluster.web(which) : cluster.worker(which);
    };
    faults.push_back({"kill " + role,
                      [any] {
                        auto& server = any();
                        const bool ran = server.running();
                        if (ran) server.Kill();
                        return ran ? 1L : 0L;
                      },
                      [&cluster] {
                        // In vain while something else is broken too: then later.
                        cluster.Revive();
                        return 0L;
                      }});
    auto frozen = std::make_shared<integration::Server*>(nullptr);
    faults.push_back({"freeze " + role,
                      [any, frozen] {
                        auto& server = any();
                        if (!server.running()) return 0L;
                        *frozen = &server;
                        server.process().Signal(SIGSTOP);
                        return 1L;
                      },
                      [frozen] {
                        if (*frozen) (*frozen)->process().Signal(SIGCONT);
                        *frozen = nullptr;
                        return 0L;
                      }});
  }
}

void AddDatabaseFaults(std::vector<Fault>& faults, Cluster& cluster, std::vector<std::string>& skipped) {
  auto& postgres = cluster.postgres();
  const auto start = [&postgres] {
    // In vain on a full volume: then when there is room again.
    postgres.TryStart();
    return 0L;
  };
  for (const char* mode : {"fast", "immediate"}) {
    faults.push_back({std::string("restart postgresql ") + mode,
                      [&postgres, mode] {
                        postgres.Stop(mode);
                        return postgres.Answers() ? 0L : 1L;
                      },
                      start});
  }
  faults.push_back({"freeze postgresql backends", [&postgres] { return long(postgres.SignalBackends(SIGSTOP)); },
                    [&postgres] {
                      postgres.SignalBackends(SIGCONT);
                      return 0L;
                    }});
  if (postgres.has_own_volume()) {
    faults.push_back({"volume full", [&postgres] { return postgres.FillVolume() ? 1L : 0L; },
                      [&postgres] {
                        postgres.FreeVolume();
                        // Without room for its log it may have ended; whoever frees the volume starts it again.
                        postgres.Revive();
                        return 0L;
                      }});
  } else {
    skipped.emplace_back("volume full: a tmpfs needs root and the right to mount");
  }
  auto& network = cluster.database_network();
  faults.push_back({"reset connections", [&network] { return long(network.Reset()); }, [] { return 0L; }});
  auto before = std::make_shared<std::uint64_t>(0);
  faults.push_back({"swallow packets",
                    [&network, before] {
                      *before = network.swallowed();
                      network.Swallow(true);
                      return 0L;
                    },
                    [&network, before] {
                      network.Swallow(false);
                      // Bytes are missing in the middle: these connections are of no use to anybody.
                      network.Reset();
                      return network.swallowed() > *before ? 1L : 0L;
                    }});
}

void AddRedisFaults(std::vector<Fault>& faults, Cluster& cluster) {
  auto& redis = cluster.redis();
  faults.push_back({"kill redis",
                    [&redis] {
                      redis.Kill();
                      return 1L;
                    },
                    [&redis] {
                      redis.Start();
                      return 0L;
                    }});
  faults.push_back({"freeze redis",
                    [&redis] {
                      redis.Signal(SIGSTOP);
                      return 1L;
                    },
                    [&redis] {
                      redis.Signal(SIGCONT);
                      return 0L;
                    }});
  const auto command = [&redis](std::string words, std::string expected) {
    return [&redis, words = std::move(words), expected = std::move(expected)] {
      return redis.Command(words).starts_with(expected) ? 1L : 0L;
    };
  };
  faults.push_back({"flush redis", command("FLUSHALL", "OK"), [] { return 0L; }});
  faults.push_back({"redis full", command("CONFIG SET maxmemory 1", "OK"), command("CONFIG SET maxmemory 0", "!")});
  faults.push_back({"redis read-only", command("REPLICAOF 127.0.0.1 1", "OK"), command("REPLICAOF NO ONE", "!")});
}

void AddProviderFaults(std::vector<Fault>& faults, Cluster& cluster, Random& random) {
  auto& simulator = cluster.simulator();
  faults.push_back(
      {"provider",
       [&simulator, &random] {
         const bj::object kinds[] = {
             {{"kind", "respond"}, {"payload", "gmail.userRateLimitExceeded.403"}, {"path", "/gmail/**"}, {"count", 3}},
             {{"kind", "respond"}, {"payload", "gmail.backendError.500"}, {"path", "/gmail/**"}, {"count", 3}},
             {{"kind", "reset"}, {"path", "/gmail/**"}, {"count", 3}},
             {{"kind", "lose_answer"}, {"path", "/gmail/**"}, {"count", 1}},
             {{"kind", "truncate"}, {"path", "/gmail/**"}, {"count", 3}},
             {{"kind", "reset"}, {"path", "/v1.0/**"}, {"count", 3}},
             {{"kind", "respond"}, {"payload", "graph.error.UnknownError.504"}, {"path", "/v1.0/**"}, {"count", 3}},
             {{"kind", "latency"}, {"path", "/**"}, {"milliseconds", 100}, {"count", 30}},
         };
         simulator.Post("/faults", kinds[Pick(random, std::size(kinds))]);
         return 0L;
       },
       [&simulator] {
         long fired = 0;
         const auto listed = simulator.Get("/faults");
         for (const auto& fault : listed.at("faults").as_array()) fired += fault.at("fired").to_number<long>();
         simulator.Delete("/faults");
         return fired;
       }});
  faults.push_back(
      {"tokens expire",
       [&simulator] { return simulator.Post("/tokens/expire", bj::object{}).at("expired").to_number<long>(); },
       [] { return 0L; }});
  faults.push_back({"clock jump",
                    [&simulator] {
                      simulator.Post("/clock/advance", bj::object{{"seconds", 4000}});
                      return 1L;
                    },
                    [] { return 0L; }});
}

}  // namespace

std::vector<Fault> FaultsOf(Cluster& cluster, Random& random, std::vector<std::string>& skipped) {
  std::vector<Fault> faults;
  AddProcessFaults(faults, cluster, random);
  AddDatabaseFaults(faults, cluster, skipped);
  AddRedisFaults(faults, cluster);
  AddProviderFaults(faults, cluster, random);
  return faults;
}

}  // namespace latchkey::chaos
