# ./dev chaos [ROUNDS] [SEED]: the chaos driver for long; each round meets every fault once.

run_chaos() {
  local rounds="${1:-20}" seed="${2:-$RANDOM$RANDOM}"
  [[ "$rounds" =~ ^[0-9]+$ && "$seed" =~ ^[0-9]+$ ]] || die "usage: ./dev chaos [ROUNDS] [SEED]"
  need_packages build services
  build_web
  build_cpp asan chaos_test
  export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}"
  export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
  say "$rounds rounds with seed $seed; a failure is repeated by ./dev chaos $rounds $seed"
  LATCHKEY_CHAOS_ROUNDS="$rounds" LATCHKEY_CHAOS_SEED="$seed" exec "$ROOT/build/asan/tests/chaos/chaos_test"
}
