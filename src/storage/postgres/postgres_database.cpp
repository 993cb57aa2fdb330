#include "storage/postgres/postgres_database.hpp"

#include "storage/engine_database.hpp"
#include "storage/postgres/engine.hpp"

namespace latchkey::storage::postgres {

Result<std::unique_ptr<Database>> OpenDatabase(const DatabaseOptions& options, Executor loop,
                                               const latchkey::Clock& clock) {
  const auto address = Address::Parse(options.url);
  if (!address) return Fail(address.error());
  EngineOptions engine_options;
  engine_options.pool.connections = options.connections;
  auto engine = Engine::Open(*address, engine_options, std::move(loop), clock.Now());
  if (!engine) return Fail(std::move(engine.error()));
  return MakeDatabase(std::move(*engine), clock);
}

}  // namespace latchkey::storage::postgres
