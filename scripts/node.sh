# Debian 12 ships Node.js 18, too old for the web toolchain. The pinned Node.js and npm come as npm packages into .cache, and only
# they are used. Sourced. usage: need_node; from then on node, npm and npx are the pinned ones.

NODE_VERSION=24.21.0
NPM_VERSION=11.19.1

need_node() {
  local arch home="$CACHE/node-$NODE_VERSION-$NPM_VERSION"
  case "$(uname -m)" in
    x86_64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) die "there is no Node.js package for $(uname -m); x86_64 and arm64 are supported" ;;
  esac
  if [ ! -x "$home/bin/node" ]; then
    say "Fetching Node.js $NODE_VERSION"
    rm -rf "$home.part"
    mkdir -p "$home.part/bin"
    quietly node npm install --prefix "$home.part" --no-audit --no-fund --ignore-scripts \
      "node-linux-$arch@$NODE_VERSION" "npm@$NPM_VERSION"
    ln -s "../node_modules/node-linux-$arch/bin/node" "$home.part/bin/node"
    local tool
    for tool in npm npx; do
      printf '#!/bin/sh\nexec "%s/bin/node" "%s/node_modules/npm/bin/%s-cli.js" "$@"\n' "$home" "$home" "$tool" >"$home.part/bin/$tool"
      chmod +x "$home.part/bin/$tool"
    done
    rm -rf "$home"
    mv "$home.part" "$home"
  fi
  export PATH="$home/bin:$PATH"
  # Node.js brings certificate authorities of its own; those that this machine trusts besides count as well.
  if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
  fi
}

# need_modules DIR: `npm ci` in DIR when its lock file changed since the last time.
need_modules() {
  local dir="$ROOT/$1" stamp now
  need_node
  stamp="$dir/node_modules/.latchkey-stamp"
  now="$(digest_of "$dir/package-lock.json")-$NODE_VERSION"
  [ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || return 0
  say "Installing the npm packages of $1"
  (cd "$dir" && quietly "npm-${1//\//-}" npm ci --no-audit --no-fund --ignore-scripts)
  printf '%s' "$now" >"$stamp"
}
