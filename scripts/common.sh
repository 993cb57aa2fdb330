# Shared by every script: where things are, and how to speak to the person at the terminal. Sourced, not run.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE="$ROOT/.cache"
export CCACHE_BASEDIR="$ROOT" CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-5G}"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf '\033[31merror:\033[0m %s\n' "$*" >&2
  exit 1
}

# quietly LOG_NAME COMMAND...: keeps the output in a log file and shows its end only when the command fails.
quietly() {
  local log="$CACHE/log/$1.log"
  shift
  mkdir -p "$CACHE/log"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "'$*' failed; the whole output is in $log"
  fi
}

# A digest of files' contents: what a step depends on. Steps remember it and are skipped while it is the same.
digest_of() { cat "$@" 2>/dev/null | sha256sum | cut -c1-16; }
