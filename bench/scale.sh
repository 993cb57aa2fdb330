#!/usr/bin/env bash
# usage: bench/scale.sh BUILD_DIR [--count N] [--json]
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/services.sh"
need_node
trap stop_services EXIT
start_services
node "$ROOT/bench/scale.mjs" "$@"
