#!/usr/bin/env bash
# Builds the programs that `eyebolt bench jam --peer` and `bench watch` measure beside us, from pinned module versions, into bin/peers.
# They are peers to measure against, not dependencies: nothing of ours links or ships them.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bin/peers
mkdir -p "$out"
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export CGO_ENABLED=0 GOFLAGS=-mod=mod GOTOOLCHAIN=local

# copy MODULE VERSION: a writable copy of the module's source
copy() {
	local from
	from=$(cd "$work" && go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
	[ -d "$from" ] || { echo "could not download $1@$2: is the module proxy reachable? (go env GOPROXY)" >&2; exit 1; }
	cp -r "$from" "$work/src"
	chmod -R u+w "$work/src"
}

echo "Building MediaMTX v1.19.3 (a minute or two) …"
copy github.com/bluenviron/mediamtx v1.19.3
# A release's generator writes these two; neither has to do with noticing a camera's loss.
echo v1.19.3 >"$work/src/internal/core/VERSION"
mkdir -p "$work/src/internal/servers/hls"
touch "$work/src/internal/servers/hls/hls.min.js"
(cd "$work/src" && go build -o "$out/mediamtx" .)
rm -rf "$work/src"

echo "Building go2rtc v1.9.14 …"
copy github.com/AlexxIT/go2rtc v1.9.14
(cd "$work/src" && go build -o "$out/go2rtc" .)

echo "Ready: eyebolt bench jam --peer mediamtx=bin/peers/mediamtx --peer go2rtc=bin/peers/go2rtc"
