# ./dev e2e: the browser journeys against release builds.

run_e2e() {
  need_packages build web test
  build_web
  build_cpp release latchkey latchkey-simulator
  need_modules tests/e2e
  exec node "$ROOT/tests/e2e/run.mjs" --server "$ROOT/build/release/src/app/latchkey" \
    --simulator "$ROOT/build/release/simulator/latchkey-simulator" "$@"
}
