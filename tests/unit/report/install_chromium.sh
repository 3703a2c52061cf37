#!/bin/sh
# Installs Chromium from Debian where there is no browser that the scorecard can be tested in.
set -eu

if [ -n "${STORMDRAW_WITHOUT_BROWSER:-}" ]; then
    exit 0
fi
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "tests/unit/report: needs Chromium; install it, or run this as root on Debian, or set" \
        "STORMDRAW_WITHOUT_BROWSER=1 to leave its tests out" >&2
    exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium
