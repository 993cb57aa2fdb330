# Builds the web app and the C++ targets. Sourced after common.sh, packages.sh and node.sh.

# What the web app is made of, as one digest: committed, changed and new files.
web_digest() {
  (cd "$ROOT" && {
    git ls-files -s web openapi
    git diff HEAD -- web openapi
    git ls-files -o --exclude-standard -z web openapi | xargs -0r sha256sum
  } 2>/dev/null | sha256sum | cut -c1-16)
}

build_web() {
  need_packages web
  local now
  now=$(web_digest)
  if [ "$(cat "$CACHE/web-stamp" 2>/dev/null)" = "$now" ] && [ -f "$ROOT/web/dist/index.html" ]; then return 0; fi
  need_modules web
  say "Building the web app"
  (cd "$ROOT/web" && quietly web-build npm run build)
  printf '%s' "$now" >"$CACHE/web-stamp"
}

# build_cpp PRESET [TARGET...]
build_cpp() {
  local preset="$1" todo
  shift
  need_packages build
  mkdir -p "$CACHE/log"
  cd "$ROOT"
  if [ ! -f "build/$preset/build.ninja" ]; then
    say "Configuring the $preset build"
    quietly "cmake-$preset" cmake --preset "$preset"
  fi
  todo=$(ninja -C "build/$preset" -n "$@" 2>/dev/null | grep -c '^\[' || true)
  if [ "$todo" -gt 3 ]; then say "Compiling ($preset, $todo steps; the first time takes several minutes)"; fi
  if [ -t 2 ]; then
    ninja -C "build/$preset" "$@" >&2
  else
    quietly "ninja-$preset" ninja -C "build/$preset" "$@"
  fi
}
