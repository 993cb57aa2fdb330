#!/usr/bin/env bash
# usage: bench/fairness.sh BUILD_DIR [--count N] [--json]
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
. "$ROOT/scripts/node.sh"
need_node
exec node "$ROOT/bench/fairness.mjs" "$@"
