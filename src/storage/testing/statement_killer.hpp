#pragma once

namespace latchkey::storage::testing {

/// SQL for PostgreSQL, run by a superuser: counts the schema commands from then on, and ends the session at the one
/// whose number stands in killer.wish. The counter is a sequence: it goes on counting when the transaction is undone.
inline constexpr const char* kStatementKiller = R"sql(
CREATE SCHEMA killer;
CREATE SEQUENCE killer.done;
CREATE TABLE killer.wish (at bigint);
INSERT INTO killer.wish VALUES (0);
CREATE FUNCTION killer.count() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('killer.done') = (SELECT at FROM killer.wish) THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
  END IF;
END $$;
CREATE EVENT TRIGGER count_commands ON ddl_command_end EXECUTE FUNCTION killer.count();
SELECT setval('killer.done', 1, FALSE))sql";

}  // namespace latchkey::storage::testing
