# ./dev lint: formatting, include directions, headers that compile alone, web lint. --fix formats in place.

cpp_files() { (cd "$ROOT" && git ls-files -co --exclude-standard -- 'src/*.cpp' 'src/*.hpp' 'simulator/*.cpp' 'simulator/*.hpp' 'tests/*.cpp' 'tests/*.hpp' 'bench/*.cpp' 'bench/*.hpp'); }

# A feature may not include an edge, and nothing may include what stands above it.
check_includes() { node "$ROOT/scripts/check_includes.mjs" "$ROOT"; }

# Every header stands on its own: parsed alone, without generating code.
check_headers() {
  local build="$ROOT/build/asan" header failed=0
  LIBPQ_CFLAGS=$(pkg-config --cflags libpq) || return 1
  export LIBPQ_CFLAGS
  (cd "$ROOT" && git ls-files -co --exclude-standard -- 'src/*.hpp') | xargs -P 2 -n 6 sh -c '
    for header in "$@"; do
      clang++-19 -std=c++23 -fsyntax-only -Wall -Wextra -Werror -Wno-pragma-once-outside-header -Wno-missing-field-initializers \
        -DBOOST_ASIO_HAS_CO_AWAIT -DBOOST_ASIO_NO_DEPRECATED $LIBPQ_CFLAGS -I src "$header" || exit 1
    done' sh || failed=1
  return $failed
}

run_lint() {
  local failed=0 fix=0
  [ "${1:-}" != "--fix" ] || fix=1
  need_packages build web lint
  need_modules web
  cd "$ROOT"
  if [ "$fix" = 1 ]; then
    cpp_files | xargs -r clang-format-19 -i
    (cd web && npm run format) || failed=1
  fi
  echo "clang-format"
  cpp_files | xargs -r -P 2 -n 20 clang-format-19 --dry-run -Werror || failed=1
  echo "include directions"
  check_includes || failed=1
  echo "headers compile alone"
  check_headers || failed=1
  echo "shell scripts parse"
  local script
  for script in dev .ci/run scripts/*.sh bench/*.sh; do [ ! -f "$script" ] || bash -n "$script" || failed=1; done
  echo "web"
  (cd web && npm run lint) || failed=1
  [ "$failed" = 0 ] && echo "lint: clean"
  return $failed
}
