# ./dev bench NAME: release build, then the driver in bench/.

run_bench() {
  local name="${1:-}"
  if [ -z "$name" ] || [ ! -x "$ROOT/bench/$name.sh" ]; then
    die "usage: ./dev bench NAME [--json] [--count N]; there are: $(cd "$ROOT/bench" && find . -name '*.sh' -printf '%f ' | sed 's/\.sh//g')"
  fi
  shift
  build_cpp release
  exec "$ROOT/bench/$name.sh" "$ROOT/build/release" "$@"
}
