#!/usr/bin/env bash
# Installs the real peers that the lock drivers are tested with, those of scripts/*peer.sh, at once, into bin/peers. With --may-lack,
# one that this machine cannot have is named with the reason, here and in bin/peers/lacking, and the tests that need it skip; without,
# that is an error.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin/peers
rm -f bin/peers/lacking
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
declare -A running
for script in scripts/*peer.sh; do
	name=$(basename "$script" peer.sh)
	"$script" >"$log/$name" 2>&1 &
	running[$name]=$!
done
lacking=0
for name in $(printf '%s\n' "${!running[@]}" | sort); do
	if wait "${running[$name]}"; then
		cat "$log/$name"
	else
		lacking=$((lacking + 1))
		echo "NOT TESTED HERE: a lock driver, since scripts/${name}peer.sh said: $(tail -1 "$log/$name")" | tee -a bin/peers/lacking >&2
	fi
done
[ "$lacking" -eq 0 ] || [ "${1:-}" = --may-lack ]
