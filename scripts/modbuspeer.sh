#!/usr/bin/env bash
# Puts the real Modbus server (pymodbus), which the tests of lock/modbus speak to, into bin/peers/modbus: the version of
# lock/modbus/testdata/peer/requirements.txt, from PyPI, into a Python environment of its own. It is a peer of tests: nothing of ours
# ships it.
set -euo pipefail
cd "$(dirname "$0")/.."
from=lock/modbus/testdata/peer
to=bin/peers/modbus
python=${EYEBOLT_PYTHON:-python3}
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
	{ echo "Python 3.10 or newer with venv is missing (tried $python): install it, or name it in EYEBOLT_PYTHON, then run the command again" >&2; exit 1; }
if cmp -s "$from/requirements.txt" "$to/installed.txt"; then exit 0; fi
echo "Installing pymodbus for the tests (1 MB) …"
rm -rf "$to"
mkdir -p "$to"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(
	"$python" -m venv "$to/env" &&
		timeout 300 "$to/env/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --only-binary :all: \
			--require-hashes -r "$from/requirements.txt"
) >"$log" 2>&1 ||
	{ tail -20 "$log" | cut -c1-400 >&2; echo "pip could not install pymodbus: is the registry reachable?" >&2; exit 1; }
cp "$from/requirements.txt" "$to/installed.txt"
