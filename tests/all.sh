#!/bin/sh
# All tests, in two halves at the same time: `sh tests/all.sh PYTHON`. Ansible's keep one processor busy, the rest
# another. The web host's own need a root: elsewhere they are left out, and that is said.
set -u
python=$1
log=$(mktemp)
half=""
trap 'rm -f "$log"' EXIT
trap 'kill "$half" 2>/dev/null; wait "$half"; exit 130' INT TERM

host=""
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ]; then
    sh tests/host/system.sh || exit 1
    host=tests/host
else
    echo "Left out: tests/host, which makes a Debian 13 in a folder and must be root on Linux for it (make host-test)."
fi

# shellcheck disable=SC2086
"$python" -m pytest --durations 25 tests/deploy $host >"$log" 2>&1 &
half=$!
"$python" -m pytest --durations 25 --cov --cov-report= --ignore tests/deploy --ignore tests/host
first=$?
echo
echo "The other half: tests/deploy $host"
wait "$half"
second=$?
cat "$log"
[ "$first" = 0 ] && [ "$second" = 0 ]
