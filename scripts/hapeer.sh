#!/usr/bin/env bash
# Puts the real Home Assistant, which tests speak to, into bin/peers/ha: the versions of virtual/hass/peer/requirements.txt, from
# PyPI, into a Python environment of its own. It is a peer of tests: nothing of ours ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
from=virtual/hass/peer
to=bin/peers/ha
python=${EYEBOLT_PYTHON:-python3.11}
# It runs with 3.11 and 3.12, but the versions above are pinned for 3.11.
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
	{ echo "Python 3.11 is missing (tried $python): install it, or name it in EYEBOLT_PYTHON, then run the command again" >&2; exit 1; }
if cmp -s "$from/requirements.txt" "$to/installed.txt"; then exit 0; fi
echo "Installing Home Assistant for the tests (270 MB) …"
rm -rf "$to"
mkdir -p "$to"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(
	"$python" -m venv "$to/env" &&
		PIP_CONSTRAINT="$from/build.txt" timeout 540 "$to/env/bin/python" -m pip install --disable-pip-version-check --no-input \
			--no-deps --no-compile --only-binary :all: --no-binary paho-mqtt -r "$from/requirements.txt"
) >"$log" 2>&1 ||
	{ tail -20 "$log" | cut -c1-400 >&2; echo "pip could not install Home Assistant: is the registry reachable?" >&2; exit 1; }
cp "$from/requirements.txt" "$to/installed.txt"
