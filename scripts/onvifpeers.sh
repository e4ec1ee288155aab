#!/usr/bin/env bash
# Puts foreign ONVIF devices into bin/peers, in pinned versions, for the tests of camera/onvif: npm's onvif (its own test
# server, with the replies of a real camera, discovery and events) and PyPI's ipycam (a virtual camera with real passwords,
# RTSP and discovery), and as a client onvif-zeep-async, which reads by ONVIF's own WSDL files. One more, go2rtc, is built by scripts/peers.sh. Without them those tests skip and say so.
# They are peers to test against, not dependencies: nothing of ours links or ships them.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/bin/peers
mkdir -p "$out/onvifmock" "$out/ipycam"

command -v npm >/dev/null || { echo "npm is missing: install nodejs and npm" >&2; exit 1; }
echo "Installing npm onvif 0.6.2 (a test server) …"
# 0.6.2 is the last version whose package still holds the server.
(cd "$out/onvifmock" && npm install --no-audit --no-fund --silent --no-save onvif@0.6.2 coffeescript@1.12.7 dot@1.1.3 xml2js@0.6.2)
test -f "$out/onvifmock/node_modules/onvif/test/serverMockup.coffee"

command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 1; }
echo "Installing PyPI ipycam 1.3.0 (a virtual camera; its OpenCV is 60 MB) …"
[ -x "$out/ipycam/bin/python" ] || python3 -m venv "$out/ipycam"
"$out/ipycam/bin/pip" install -q --disable-pip-version-check --no-deps ipycam==1.3.0 numpy==2.4.6 opencv-python-headless==5.0.0.93

echo "Installing PyPI onvif-zeep-async 4.3.0 (a client) …"
[ -x "$out/onvifzeep/bin/python" ] || python3 -m venv "$out/onvifzeep"
"$out/onvifzeep/bin/pip" install -q --disable-pip-version-check onvif-zeep-async==4.3.0 zeep==4.3.3 lxml==6.1.3
echo "Ready: go test ./camera/onvif -run Peer -v"
