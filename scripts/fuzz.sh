# ./dev fuzz: libFuzzer on every target, each for some seconds, starting from its kept corpus.

run_fuzz() {
  local seconds="${1:-60}" target name failed=0
  [[ "$seconds" =~ ^[0-9]+$ ]] || die "usage: ./dev fuzz [SECONDS]"
  build_cpp fuzz fuzzers
  mkdir -p "$CACHE/fuzz"
  while read -r target; do
    name=$(basename "$target")
    say "Fuzzing $name for $seconds s"
    mkdir -p "$CACHE/fuzz/$name"
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$CACHE/fuzz/$name-" \
      "$CACHE/fuzz/$name" "$(cat "$target.corpus")" >"$CACHE/log/fuzz-$name.log" 2>&1 || {
      failed=1
      tail -n 30 "$CACHE/log/fuzz-$name.log" >&2
    }
  done < <(find "$ROOT/build/fuzz" -type f -perm -u+x -name '*_fuzz' | sort)
  [ "$failed" = 0 ] || die "a fuzz target found something; its input is in .cache/fuzz"
}
