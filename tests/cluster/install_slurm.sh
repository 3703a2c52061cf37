#!/bin/sh
# Installs Slurm and munge from Debian where they are missing, and starts neither.
set -eu

if command -v slurmctld slurmd munged >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "tests/cluster: needs slurm-wlm and munge; install them, or run this as root on Debian" >&2
    exit 1
fi
# Packages ask this file whether they may start their services.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends slurm-wlm munge
