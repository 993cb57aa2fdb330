# ./dev test: every suite, each with its own log, and one closing line.

ALL_SUITES=(lint unit contract integration fuzz web e2e)

passed=0 failed=0 skipped=0
failures=()

# suite NAME FUNCTION: runs one suite and adds up its counts. A suite says them as its last line of the form
# "COUNTS passed=N failed=N skipped=N"; without it, its exit status counts as one test.
suite() {
  local name="$1" log="$CACHE/log/test-$1.log" started=$SECONDS status=0 counts p=0 f=0 s=0
  say "Suite $name"
  "$2" >"$log" 2>&1 || status=$?
  counts=$(grep -E '^COUNTS passed=[0-9]+ failed=[0-9]+ skipped=[0-9]+' "$log" | tail -n 1 || true)
  if [ -n "$counts" ]; then
    read -r p f s < <(sed -E 's/.*passed=([0-9]+) failed=([0-9]+) skipped=([0-9]+).*/\1 \2 \3/' <<<"$counts")
    [ "$status" = 0 ] || [ "$f" -gt 0 ] || f=1
    [ $((p + f + s)) -gt 0 ] || f=1
  elif [ "$status" = 0 ]; then
    p=1
  else
    f=1
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  grep -E '^SKIPPED ' "$log" | sort -u | sed 's/^/    /' >&2 || true
  if [ "$f" -gt 0 ]; then
    failures+=("$name")
    grep -nE '\[  FAILED|^not ok|ERROR: AddressSanitizer|runtime error:|✘|AssertionError|[Ee]rror:' "$log" | head -n 40 >&2 || true
    tail -n 60 "$log" >&2
  fi
  say "Suite $name: $p passed, $f failed, $s skipped ($((SECONDS - started)) s)"
}

# run_ctest NAME CTEST-ARGUMENTS...: counts the single GoogleTest cases of every program, and programs of another kind as one.
run_ctest() {
  local out="$CACHE/log/ctest-$1.log" status=0 p f s
  shift
  ctest --test-dir "$ROOT/build/asan" --verbose -j "${TEST_JOBS:-2}" "$@" >"$out" 2>&1 || status=$?
  cat "$out"
  p=$(grep -cE '^[0-9]+: \[       OK \]|^[0-9]+: [0-9]+ inputs replayed' "$out" || true)
  s=$(grep -cE '^[0-9]+: \[  SKIPPED \] .*\([0-9]+ ms\)' "$out" || true)
  f=$(grep -cE '^[0-9]+: \[  FAILED  \] .*\([0-9]+ ms\)' "$out" || true)
  sed -nE 's/^[0-9]+: (SKIP: .*)/SKIPPED \1/p' "$out" | sort -u
  [ "$status" = 0 ] || [ "$f" -gt 0 ] || f=1
  echo "COUNTS passed=$p failed=$f skipped=$s"
  return $status
}

suite_lint() {
  . "$ROOT/scripts/lint.sh"
  run_lint
}
suite_unit() { run_ctest unit -LE 'integration|fuzz'; }
suite_fuzz() { run_ctest fuzz -L fuzz; }
suite_integration() { run_ctest integration -L integration; }

suite_contract() {
  local status=0 out="$CACHE/log/contract.out"
  node "$ROOT/tests/contract/run.mjs" "$ROOT/build/asan/simulator/latchkey-simulator" >"$out" 2>&1 || status=$?
  cat "$out"
  awk '/^(#|ℹ) pass /{p+=$3} /^(#|ℹ) fail /{f+=$3} /^(#|ℹ) skipped /{s+=$3} END{printf "COUNTS passed=%d failed=%d skipped=%d\n",p,f,s}' "$out"
  return $status
}

without_colour() { sed -E 's/\x1b\[[0-9;]*[A-Za-z]//g'; }

suite_web() {
  local status=0 out="$CACHE/log/web.out"
  (cd "$ROOT/web" && npm test && npm run test:pages) 2>&1 | without_colour >"$out" || status=$?
  cat "$out"
  # Vitest counts in its own words, the looks at every page in Playwright's.
  awk '/^ *Tests /{for(i=1;i<NF;i++){if($(i+1)~/^passed/)p=$i;if($(i+1)~/^failed/)f=$i;if($(i+1)~/^skipped/)s=$i}}
       /^ +[0-9]+ passed/{p+=$1} /^ +[0-9]+ failed/{f+=$1} /^ +[0-9]+ skipped/{s+=$1}
       END{printf "COUNTS passed=%d failed=%d skipped=%d\n",p,f,s}' "$out"
  return $status
}

suite_e2e() {
  local status=0 out="$CACHE/log/e2e.out"
  node "$ROOT/tests/e2e/run.mjs" --server "$ROOT/build/asan/src/app/latchkey" \
    --simulator "$ROOT/build/asan/simulator/latchkey-simulator" 2>&1 | without_colour >"$out" || status=$?
  cat "$out"
  awk '/^ +[0-9]+ passed/{p=$1} /^ +[0-9]+ failed/{f=$1} /^ +[0-9]+ skipped/{s=$1} END{printf "COUNTS passed=%d failed=%d skipped=%d\n",p,f,s}' "$out"
  return $status
}

run_test() {
  local suites=("$@") name
  [ ${#suites[@]} -gt 0 ] || suites=("${ALL_SUITES[@]}")
  for name in "${suites[@]}"; do
    [[ " ${ALL_SUITES[*]} " == *" $name "* ]] || die "no suite '$name'; there are: ${ALL_SUITES[*]}"
  done
  export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}"
  export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
  export CI="${CI:-1}"
  mkdir -p "$CACHE/log"
  need_packages build web test lint services
  build_web
  need_modules web
  if [[ " ${suites[*]} " =~ \ (unit|contract|integration|fuzz|e2e)\  ]]; then build_cpp asan; fi
  if [[ " ${suites[*]} " == *" contract "* ]]; then need_modules tests/contract; fi
  if [[ " ${suites[*]} " == *" e2e "* ]]; then need_modules tests/e2e; fi
  if [[ " ${suites[*]} " =~ \ (unit|integration)\  ]]; then
    . "$ROOT/scripts/services.sh"
    export SERVICES_DIE_WITH_SHELL=1
    trap stop_services EXIT
    start_services || die "the databases for the tests did not start"
  fi
  for name in "${suites[@]}"; do suite "$name" "suite_$name"; done
  if [ ${#failures[@]} -gt 0 ]; then
    # Once more at the very end: of a long log only that may be shown.
    for name in "${failures[@]}"; do
      grep -hE '\[  FAILED  \] .*\([0-9]+ ms\)|^not ok|ERROR: AddressSanitizer|runtime error:|✘' "$CACHE/log/test-$name.log" | head -n 10 >&2 || true
    done
    say "Failed suites: ${failures[*]}; logs are in .cache/log"
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
