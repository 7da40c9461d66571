#!/bin/sh
# The tests' system packages: MariaDB (the repository's contract), Chromium and its driver (the browser tests),
# ab (what imgload is held against), HAProxy (what the web hosts are rolled behind); with the argument "drills" also
# libvips (which pictures are compared with), Firefox and libfaketime (a database whose clock jumps).
# Installs them from Debian's or Ubuntu's packages where it may; says what is missing where it may not.
set -eu

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

missing=""
have mariadbd || missing="$missing mariadb-server"
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
have chromedriver || missing="$missing chromium-driver"
have ab || missing="$missing apache2-utils"
have haproxy || missing="$missing haproxy"
if [ "${1-}" = drills ]; then
    have vips || missing="$missing libvips-tools"
    have firefox-esr || have firefox || missing="$missing firefox-esr"
    ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
fi
[ -n "$missing" ] || exit 0

# Ubuntu's packages of Chromium install a snap, which cannot open the tests' profiles below /tmp.
if grep -qs '^ID=ubuntu' /etc/os-release && [ "$missing" != "${missing#*chromium}" ]; then
    echo "make test: Ubuntu has Chromium as a snap only, which the browser tests cannot use." >&2
    echo "Install Google Chrome and the chromedriver of its version, or use Debian. make check needs neither." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "Installing$missing ..."
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "make test: these programs are missing:$missing" >&2
echo "On Debian: sudo apt-get install$missing    On macOS: brew install mariadb chromium chromedriver haproxy" >&2
exit 1
