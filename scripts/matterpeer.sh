#!/usr/bin/env bash
# Puts the real Matter server, and matter.js for the virtual lock, which the tests of lock/matter speak to, into bin/peers/matter: the
# versions of lock/matter/testdata/peer, from PyPI and npm (without install scripts). They are peers of tests: nothing of ours ships them.
set -euo pipefail
cd "$(dirname "$0")/.."
from=lock/matter/testdata/peer
to=bin/peers/matter
command -v node >/dev/null && command -v npm >/dev/null ||
	{ echo "Node.js 20 or newer and npm are missing: install them, then run the command again" >&2; exit 1; }
node -e 'const [a,b]=process.versions.node.split(".");process.exit(+a>20||(+a==20&&+b>=19)?0:1)' ||
	{ echo "Node.js $(node --version) is too old for matter.js: 20.19 or newer is needed" >&2; exit 1; }
command -v ip >/dev/null ||
	{ echo "iproute2 is missing: sudo apt-get install --no-install-recommends iproute2" >&2; exit 1; }
# The server's own library is bound to one of the system's that not every machine has; pip cannot know.
loads() {
	"$to/venv/bin/python" -c 'import ctypes, glob, sys; [ctypes.CDLL(l) for l in glob.glob(sys.prefix + "/lib/python3*/site-packages/chip/*.so")]' >/dev/null 2>&1 ||
		{ echo "the Matter server cannot load its library (libnl?): sudo apt-get install --no-install-recommends libnl-route-3-200, then run the command again" >&2; exit 1; }
}
if cat "$from/requirements.txt" "$from/package-lock.json" | cmp -s - "$to/installed"; then loads; exit 0; fi
python=
for p in python3 python3.14 python3.13 python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python; do
	if "$p" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then python=$p; break; fi
done
[ -n "$python" ] ||
	{ echo "No Python 3.12 or newer with venv: the Matter server needs one. Install it (python3.12-venv, or pyenv), then run the command again" >&2; exit 1; }
echo "Installing the Matter server and matter.js for the tests (390 MB) …"
mkdir -p "$to"
rm -rf "$to/installed" "$to/venv"
cp "$from/package.json" "$from/package-lock.json" "$to/"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(cd "$to" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier) >"$log" 2>&1 ||
	{ tail -20 "$log" >&2; echo "npm could not install matter.js: is the registry reachable?" >&2; exit 1; }
{ "$python" -m venv "$to/venv" && timeout 600 "$to/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$from/requirements.txt"; } >"$log" 2>&1 ||
	{ tail -20 "$log" >&2; echo "pip could not install the Matter server: is the registry reachable, and is this an amd64 or arm64 Linux?" >&2; exit 1; }
loads
cat "$from/requirements.txt" "$from/package-lock.json" >"$to/installed"
