# Databases for tests, on loopback, each in a scratch directory of its own. Sourced, by scripts or by hand:
#   . scripts/services.sh; start_postgres DIR     exports LATCHKEY_TEST_POSTGRES, a superuser's URL with a new password
#   stop_postgres DIR                             stops it by its pid and removes its data; also from another shell
#   find_redis                                    exports LATCHKEY_TEST_REDIS_SERVER: tests start their own from this program
# Debian's own services are neither needed nor touched. With SERVICES_DIE_WITH_SHELL=1 a server ends with the shell that
# started it, also when that shell is killed.

POSTGRES_BIN="${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}"

# PostgreSQL refuses to run as root. setpriv changes its own process and execs: the pid stays that of the caller's fork.
# The working directory may be closed to that user too.
exec_unprivileged() {
  local options=()
  [ -z "${SERVICES_DIE_WITH_SHELL:-}" ] || options+=(--pdeathsig INT)
  if [ "$(id -u)" = 0 ]; then options+=(--reuid postgres --regid postgres --init-groups); fi
  cd / || return 1
  [ ${#options[@]} -gt 0 ] || exec "$@"
  exec setpriv "${options[@]}" "$@"
}

# The pid of the server recorded in DIR, if that very server is alive: a pid alone may long be another program's.
postgres_pid() {
  local data pid
  data=$(cat "$1/postgres.data" 2>/dev/null) || return 1
  [ -f "$data/data/postmaster.pid" ] && read -r pid <"$data/data/postmaster.pid" || return 1
  [[ "$pid" =~ ^[0-9]+$ ]] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "$data/data" || return 1
  printf '%s' "$pid"
}

start_postgres() {
  local dir data port password attempt tries pid log url
  if [ ! -x "$POSTGRES_BIN/initdb" ]; then
    echo "error: no PostgreSQL 15 in $POSTGRES_BIN; install Debian's postgresql-15" >&2
    return 1
  fi
  mkdir -p "$1" && dir=$(cd "$1" && pwd) || return 1
  stop_postgres "$dir"
  # Where the server's user cannot reach the directory, its data goes to a place that everybody can reach.
  data=$(mktemp -d "$dir/postgres.XXXXXX") && chmod 755 "$data" || return 1
  if ! (exec_unprivileged test -x "$data") 2>/dev/null; then
    rm -rf "$data"
    data=$(mktemp -d /tmp/latchkey-postgres.XXXXXX) || return 1
  fi
  chmod 700 "$data"
  printf '%s' "$data" >"$dir/postgres.data"
  log="$dir/postgres.log"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$data/password")
  if [ "$(id -u)" = 0 ]; then chown -R postgres: "$data"; fi
  # A language's order by default, not that of bytes: whoever relies on bytes has to say so.
  if ! (exec_unprivileged "$POSTGRES_BIN/initdb" -D "$data/data" -U postgres --auth=scram-sha-256 --pwfile="$data/password" \
    --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US --no-sync) >"$log" 2>&1; then
    echo "error: initdb failed" >&2
    tail -n 20 "$log" >&2
    stop_postgres "$dir"
    return 1
  fi
  # Nothing here outlives a test, so nothing waits for a disk.
  (exec_unprivileged tee -a "$data/data/postgresql.conf") >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
autovacuum_naptime = 10s
log_min_messages = warning
log_lock_waits = on
logging_collector = off
CONF
  # Below the ports that outgoing connections get. Somebody may be quicker: then another one is tried.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    port=$((10240 + (RANDOM * 32768 + RANDOM) % 20000))
    (exec_unprivileged "$POSTGRES_BIN/postgres" -D "$data/data" -p "$port") >>"$log" 2>&1 </dev/null &
    pid=$!
    # By hand: no word of the shell about its end, and no wait for it.
    disown "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 600; tries++)); do
      if [ "$(sed -n 8p "$data/data/postmaster.pid" 2>/dev/null | tr -d ' ')" = ready ]; then
        url="postgresql://postgres:$password@127.0.0.1:$port/postgres"
        printf '%s' "$url" >"$dir/postgres.url"
        chmod 600 "$dir/postgres.url"
        export LATCHKEY_TEST_POSTGRES="$url"
        return 0
      fi
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null && break
    grep -q 'could not bind' "$log" || break
  done
  echo "error: PostgreSQL did not start" >&2
  tail -n 20 "$log" >&2
  stop_postgres "$dir"
  return 1
}

# Also without a server in DIR. Waits until it is gone, so that nothing of it is met by the next one.
stop_postgres() {
  local dir="$1" data pid signal tries
  [ -f "$dir/postgres.data" ] || return 0
  data=$(cat "$dir/postgres.data")
  if pid=$(postgres_pid "$dir"); then
    # SIGINT ends the sessions, SIGQUIT everything at once; a stopped server hears neither before SIGCONT.
    for signal in INT QUIT KILL; do
      kill -"$signal" "$pid" 2>/dev/null || true
      kill -CONT "$pid" 2>/dev/null || true
      for ((tries = 0; tries < 100; tries++)); do
        kill -0 "$pid" 2>/dev/null && [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ] || break 2
        sleep 0.1
      done
    done
  fi
  case "$data" in
    "$dir"/postgres.?????? | /tmp/latchkey-postgres.??????) rm -rf "$data" ;;
  esac
  rm -f "$dir/postgres.data" "$dir/postgres.url"
}

# A Redis is up in a few milliseconds, and tests kill and fill theirs: each starts its own.
find_redis() {
  LATCHKEY_TEST_REDIS_SERVER="${LATCHKEY_TEST_REDIS_SERVER:-$(command -v redis-server || true)}"
  if [ ! -x "$LATCHKEY_TEST_REDIS_SERVER" ]; then
    echo "error: no redis-server; install Debian's package of that name" >&2
    return 1
  fi
  export LATCHKEY_TEST_REDIS_SERVER
}

# For ./dev: all of them, in one directory.
start_services() {
  find_redis || return 1
  SERVICES_DIR=$(mktemp -d "${TMPDIR:-/tmp}/latchkey-services.XXXXXX") || return 1
  chmod 755 "$SERVICES_DIR"
  start_postgres "$SERVICES_DIR"
}

stop_services() {
  [ -n "${SERVICES_DIR:-}" ] || return 0
  stop_postgres "$SERVICES_DIR"
  rm -rf "$SERVICES_DIR"
  SERVICES_DIR=
}
