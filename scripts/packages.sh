# Installs the Debian 12 packages that are missing. Sourced. usage: need_packages build web test lint services

packages_build=(
  git ca-certificates clang-19 lld-19 libclang-rt-19-dev llvm-19 ccache cmake ninja-build pkg-config
  libboost1.81-dev libboost-url1.81-dev libboost-json1.81-dev libboost-context1.81-dev libcurl4-openssl-dev libsimdjson-dev libssl-dev
  libcjose-dev libjansson-dev libsodium-dev libsqlite3-dev libicu-dev libzstd-dev libfmt-dev libspdlog-dev libcli11-dev
  libtomlplusplus-dev libgtest-dev libgmock-dev libbenchmark-dev libnghttp2-dev zlib1g-dev brotli libyaml-cpp-dev tzdata
  libgmime-3.0-dev libpq-dev libhiredis-dev
)
packages_web=()
packages_test=(chromium fonts-noto-core fonts-noto-cjk openssl sqlite3)
packages_lint=(clang-format-19)
# Servers that tests start themselves (scripts/services.sh).
packages_services=(postgresql-15 redis-server nginx-light)

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "Debian packages are missing and there is no right to install them; run as root: $*"
  fi
}

need_packages() {
  local wanted=() missing=() group name
  for group in "$@"; do
    local -n list="packages_$group"
    wanted+=("${list[@]}")
  done
  # Debian's npm is only needed where no npm exists: it fetches the pinned Node.js (scripts/node.sh).
  if [[ " $* " == *" web "* ]] && ! command -v npm >/dev/null; then wanted+=(npm); fi
  for name in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "this needs Debian 12 (apt-get); missing: ${missing[*]}"
  say "Installing ${#missing[@]} Debian packages (a few minutes on a new machine)"
  quietly apt-update as_root apt-get update
  quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}
