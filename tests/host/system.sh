#!/bin/sh
# What the tests of the web host need of the system. Installs debootstrap where it may; says what is missing where not.
set -eu

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
    echo "make drill D=host: it makes a Debian 13 in a folder, for which it must be root on Linux." >&2
    exit 1
fi
missing=""
for name in debootstrap unshare mariadbd; do
    command -v "$name" >/dev/null 2>&1 || [ -x "/usr/sbin/$name" ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
missing=$(echo "$missing" | sed 's/mariadbd/mariadb-server/; s/unshare/util-linux/')
if ! command -v apt-get >/dev/null 2>&1; then
    echo "make drill D=host: these packages are missing:$missing" >&2
    exit 1
fi
echo "Installing$missing ..."
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends $missing >/dev/null
