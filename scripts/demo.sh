# ./dev demo: a stand-in for Google and Microsoft, and the server side by side, on a sample mailbox or any mbox.

DEMO_PERSON=mira.solberg@example.com
# The stand-in knows one OAuth client; nothing outside this machine does.
DEMO_CLIENT=latchkey-demo.apps.example.com
DEMO_SECRET=demo-client-of-this-machine
DEMO_OUTLOOK_PERSON=ines.duarte@example.net
DEMO_OUTLOOK_CLIENT=3f6c2a71-58de-4b0a-9c47-d1e0b5a86f42

demo_usage() {
  cat <<'TEXT'
usage: ./dev demo [--mailbox FILE.mbox[.gz]] [--port N] [--reset] [--no-build]

Starts a stand-in for Google and Microsoft, and Latchkey, on this machine, and prints the address to open in a browser. No cloud account is needed.
  --mailbox FILE   fill the first person's mailbox from this mbox (plain or gzipped) instead of the sample mailbox
  --port N         Latchkey's port (default 8000); the stand-in takes N + 25
  --reset          forget the last demo's database and sign-ins first
  --no-build       use what is built already
Ctrl-C stops both. The data stays in .demo/ until --reset.
TEXT
}

run_demo() {
  local mailbox="" port=8000 reset=0 build=1
  while [ $# -gt 0 ]; do
    case "$1" in
      --mailbox)
        [ $# -ge 2 ] || die "--mailbox needs a file"
        [ -r "$2" ] || die "cannot read the mailbox file $2"
        mailbox=$(realpath -- "$2")
        shift 2
        ;;
      --port)
        [[ "${2:-}" =~ ^[0-9]+$ ]] || die "--port needs a number"
        port="$2"
        shift 2
        ;;
      --reset) reset=1 && shift ;;
      --no-build) build=0 && shift ;;
      -h | --help) demo_usage && return 0 ;;
      *)
        demo_usage >&2
        die "unknown option '$1'"
        ;;
    esac
  done
  if [ "$build" = 1 ]; then
    build_web
    build_cpp release latchkey latchkey-simulator
  fi
  local demo="$ROOT/.demo" server="$ROOT/build/release/src/app/latchkey" simulator="$ROOT/build/release/simulator/latchkey-simulator"
  [ -x "$server" ] && [ -x "$simulator" ] || die "not built yet; run ./dev demo without --no-build"

  # Another mailbox has other ids: yesterday's copy would not fit it. With the same one both sides go on where they were.
  if [ "$reset" = 1 ] || [ "$(cat "$demo/mailbox" 2>/dev/null)" != "$mailbox" ]; then rm -rf "$demo"; fi
  mkdir -p "$demo"
  chmod 700 "$demo"
  printf '%s' "$mailbox" >"$demo/mailbox"
  rm -f "$demo/simulator.json" "$demo/server.json"

  # Twenty times Gmail's real quota of 6,000 units a minute: the import can be watched, and nobody waits for it.
  local fill=(--sample "$DEMO_PERSON") simulator_port=$((port + 25)) simulator_pid server_pid=""
  [ -z "$mailbox" ] || fill=(--mailbox "$DEMO_PERSON=$mailbox")
  "$simulator" --listen "127.0.0.1:$simulator_port" --no-quota --client-id "$DEMO_CLIENT" --client-secret "$DEMO_SECRET" \
    --microsoft-client-id "$DEMO_OUTLOOK_CLIENT" --microsoft-client-secret "$DEMO_SECRET" --ready-file "$demo/simulator.json" \
    --state "$demo/simulator-state.json" --account "$DEMO_PERSON=Mira Solberg" \
    --account "jonas.weber@example.org=Jonas Weber" --microsoft-account "$DEMO_OUTLOOK_PERSON=Inês Duarte" \
    --sample "$DEMO_OUTLOOK_PERSON" "${fill[@]}" >"$demo/simulator.log" 2>&1 &
  simulator_pid=$!
  trap 'kill $simulator_pid $server_pid 2>/dev/null; wait 2>/dev/null' EXIT
  trap 'exit 130' INT TERM
  await_file "$demo/simulator.json" "$simulator_pid" "$demo/simulator.log" "the stand-in for Google and Microsoft"

  env LATCHKEY_DATA_DIR="$demo" LATCHKEY_LISTEN="127.0.0.1:$port" LATCHKEY_POLL_SECONDS=3 \
    AUTH_GOOGLE_CLIENT_ID="$DEMO_CLIENT" AUTH_GOOGLE_CLIENT_SECRET="$DEMO_SECRET" \
    GOOGLE_QUOTA_UNITS_PER_MINUTE=120000 GOOGLE_DISCOVERY_URL="http://127.0.0.1:$simulator_port/google/.well-known/openid-configuration" \
    GOOGLE_GMAIL_URL="http://127.0.0.1:$simulator_port" GOOGLE_CALENDAR_URL="http://127.0.0.1:$simulator_port" \
    AUTH_MICROSOFT_CLIENT_ID="$DEMO_OUTLOOK_CLIENT" AUTH_MICROSOFT_CLIENT_SECRET="$DEMO_SECRET" \
    MICROSOFT_DISCOVERY_URL="http://127.0.0.1:$simulator_port/common/v2.0/.well-known/openid-configuration" \
    MICROSOFT_GRAPH_URL="http://127.0.0.1:$simulator_port" \
    "$server" --ready-file "$demo/server.json" >"$demo/server.log" 2>&1 &
  server_pid=$!
  await_file "$demo/server.json" "$server_pid" "$demo/server.log" "the server"

  local url setup
  url=$(sed -nE 's/.*"public_url": *"([^"]+)".*/\1/p' "$demo/server.json")
  setup=$(sed -nE 's/.*"setup_url": *"([^"]+)".*/\1/p' "$demo/server.json")
  echo
  echo "  Latchkey is running. Open  ${setup:-$url}"
  [ -z "$setup" ] || echo "  (the one-time set-up link: who signs in through it first becomes administrator; later open $url)"
  echo
  echo "  Sign in as Mira Solberg (Google) or Inês Duarte (Microsoft), then connect their mail. Logs: .demo/server.log and .demo/simulator.log. Ctrl-C stops."
  echo
  wait -n "$simulator_pid" "$server_pid" || true
  tail -n 5 "$demo/server.log" "$demo/simulator.log" >&2
  die "one of the two programs ended by itself"
}

# await_file FILE PID LOG WHAT: until the program says that it listens, 90 seconds at most (a large mailbox takes some reading).
await_file() {
  local tries=0
  while [ ! -s "$1" ]; do
    kill -0 "$2" 2>/dev/null || {
      tail -n 15 "$3" >&2
      die "$4 did not start; the lines above say why"
    }
    tries=$((tries + 1))
    [ "$tries" -lt 1800 ] || die "$4 did not get ready within 90 s; see $3"
    sleep 0.05
  done
}
