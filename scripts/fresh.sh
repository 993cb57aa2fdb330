# ./dev fresh: proves that a minimal Debian 12 with git and certificates, and nothing else, is enough for the two commands.
# Makes such a root with debootstrap, clones the committed state into it and runs the verb there. As root; takes as long as a first build,
# or less with LATCHKEY_FRESH_CCACHE=DIR, which lends it a compiler cache: whatever is not in there is compiled by what was installed there.

run_fresh() {
  local verb="${1:-demo}" base="${LATCHKEY_FRESH_DIR:-/var/tmp/latchkey-fresh}" status=0
  local template="$base/template" root="$base/root"
  [[ "$verb" == demo || "$verb" == test ]] || die "usage: ./dev fresh [demo|test]"
  [ "$(id -u)" = 0 ] || die "./dev fresh needs root (debootstrap and chroot)"
  command -v debootstrap >/dev/null || {
    say "Installing debootstrap"
    quietly apt-update apt-get update
    quietly debootstrap-package apt-get install -y --no-install-recommends debootstrap
  }
  if [ ! -f "$template/.complete" ]; then
    say "Making a minimal Debian 12 in $template"
    rm -rf "$template" && mkdir -p "$template"
    quietly debootstrap debootstrap --variant=minbase --include=git,ca-certificates bookworm "$template"
    touch "$template/.complete"
  fi
  fresh_unmount "$root"
  rm -rf --one-file-system "$root"
  say "Copying it to $root"
  cp -a "$template" "$root"
  # The new machine reaches package servers the way this one does.
  cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
  cp -L /etc/hosts "$root/etc/hosts" 2>/dev/null || true
  cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null || true
  for file in /etc/npmrc /root/.npmrc; do [ ! -f "$file" ] || cp "$file" "$root$file"; done
  git clone -q --no-local "$ROOT" "$root/root/latchkey"
  mount --bind /proc "$root/proc"
  mount --bind /dev "$root/dev"
  if [ -n "${LATCHKEY_FRESH_CCACHE:-}" ]; then
    mkdir -p "$root/root/.cache/ccache"
    mount --bind "$LATCHKEY_FRESH_CCACHE" "$root/root/.cache/ccache"
  fi
  trap "fresh_unmount '$root'" EXIT
  say "Running ./dev $verb there"
  if [ "$verb" = test ]; then
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 bash -c 'cd /root/latchkey && ./dev test' || status=$?
  else
    # Both programs up, the page answers, and the second start is quick.
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 bash -c '
      cd /root/latchkey
      for round in first second; do
        began=$SECONDS
        ./dev demo --port 18000 >/tmp/demo.out 2>&1 & demo=$!
        until grep -q "Latchkey is running" /tmp/demo.out; do
          kill -0 $demo 2>/dev/null || { cat /tmp/demo.out; exit 1; }
          sleep 0.2
        done
        echo "$round start: $((SECONDS - began)) s"
        exec 3<>/dev/tcp/127.0.0.1/18000
        printf "GET /login HTTP/1.1\r\nHost: localhost:18000\r\nAccept: text/html\r\nConnection: close\r\n\r\n" >&3
        head -n 1 <&3 | grep " 200 " || exit 1
        exec 3>&-
        kill -TERM $demo; wait $demo
      done; true' || status=$?
  fi
  fresh_unmount "$root"
  [ "$status" = 0 ] || die "./dev $verb failed on the fresh machine; its tree is still in $root"
  say "./dev $verb works on a fresh Debian 12"
  rm -rf --one-file-system "$root"
}

fresh_unmount() {
  local place
  for place in proc dev root/.cache/ccache; do ! mountpoint -q "$1/$place" || umount -l "$1/$place"; done
}
