#!/usr/bin/env bash
# Puts the real Zigbee2MQTT, which the tests of lock/mqtt speak to, into bin/peers/z2m: the versions of
# lock/mqtt/testdata/peer/package-lock.json, from npm, without install scripts; and a Node.js that is new enough for it, if this
# machine has none. It is a peer of tests: nothing of ours ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
from=lock/mqtt/testdata/peer
to=bin/peers/z2m
command -v node >/dev/null && command -v npm >/dev/null ||
	{ echo "Node.js 20 or newer and npm are missing: install them, then run the command again" >&2; exit 1; }
if [ -x "$to/node" ] && cmp -s "$from/package-lock.json" "$to/installed.json"; then exit 0; fi
new=$(node -p 'const [a, b] = process.versions.node.split(".").map(Number); a > 22 || (a === 22 && b >= 22) ? "yes" : "no"')
if [ "$new" = yes ]; then omit=--omit=optional size="82 MB"; else omit=--include=optional size="267 MB, with a Node.js of its own"; fi
echo "Installing Zigbee2MQTT for the tests ($size) …"
mkdir -p "$to"
rm -f "$to/installed.json" "$to/node"
cp "$from/package.json" "$from/package-lock.json" "$to/"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(cd "$to" && timeout 300 npm ci "$omit" --ignore-scripts --no-audit --no-fund --no-update-notifier) >"$log" 2>&1 ||
	{ tail -20 "$log" >&2; echo "npm could not install Zigbee2MQTT: is the registry reachable?" >&2; exit 1; }
if [ "$new" = yes ]; then
	ln -s "$(command -v node)" "$to/node"
else
	own=$(ls "$to"/node_modules/node-linux-*/bin/node 2>/dev/null | head -1)
	[ -n "$own" ] || { echo "Zigbee2MQTT needs Node.js 22.22 or newer, and npm has none for this machine: install it, then run the command again" >&2; exit 1; }
	ln -s "${own#"$to"/}" "$to/node"
fi
cp "$from/package-lock.json" "$to/installed.json"
