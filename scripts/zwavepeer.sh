#!/usr/bin/env bash
# Puts the real Z-Wave JS, which the tests of lock/zwavejs speak to, into bin/peers/zwave: the versions of
# lock/zwavejs/testdata/peer/package-lock.json, from npm, without install scripts. It is a peer of tests: nothing of ours ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
from=lock/zwavejs/testdata/peer
to=bin/peers/zwave
command -v node >/dev/null && command -v npm >/dev/null ||
	{ echo "Node.js 20 or newer and npm are missing: install them, then run the command again" >&2; exit 1; }
node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' ||
	{ echo "Node.js $(node --version) is too old for Z-Wave JS: 20 or newer is needed" >&2; exit 1; }
if cmp -s "$from/package-lock.json" "$to/installed.json"; then exit 0; fi
echo "Installing Z-Wave JS for the tests (98 MB) …"
mkdir -p "$to"
rm -f "$to/installed.json"
cp "$from/package.json" "$from/package-lock.json" "$to/"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(cd "$to" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier) >"$log" 2>&1 ||
	{ tail -20 "$log" >&2; echo "npm could not install Z-Wave JS: is the registry reachable?" >&2; exit 1; }
cp "$from/package-lock.json" "$to/installed.json"
