#!/bin/sh
# Check that the interpreter can install Caption Gallery, then let it check the rest (prerequisites.py).
# Usage: prerequisites.sh PYTHON [GOAL …]; the goals are make's. A shell script, because an older Python would
# answer prerequisites.py with a SyntaxError instead of a sentence.
set -u

python=$1
needed="Caption Gallery needs Python 3.11 or newer"

refuse() {
    echo "make: $1" >&2
    exit 1
}

# Print the names of suitable interpreters on PATH, newest first.
suitable() {
    for name in python3.14 python3.13 python3.12 python3.11; do
        "$name" -c '' >/dev/null 2>&1 && echo "$name" && return
    done
}

# Print how to choose another interpreter: an installed one, or how to install one.
advice() {
    found=$(suitable)
    if [ -n "$found" ]; then
        echo "$found is installed: run make PYTHON=$found, followed by what you want to make."
    elif [ "$(uname -s)" = Darwin ]; then
        echo "Install one (brew install python@3.13) or name one with PYTHON=…."
    else
        echo "Install one or name one with PYTHON=…."
    fi
}

command -v "$python" >/dev/null 2>&1 || refuse "$python is not installed. $needed. $(advice)"
if ! output=$("$python" -c '' 2>&1); then
    # pyenv's shim of a version that is not active ends like this, and so does a broken installation.
    first=$(printf '%s\n' "$output" | sed -n '/./{p;q;}')
    refuse "$python is found at $(command -v "$python") but does not start (${first:-no message}). $needed. $(advice)"
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    refuse "$python is $("$python" -V 2>&1). $needed. $(advice)"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "$python cannot make virtual environments. On Debian or Ubuntu: apt-get install $(basename "$python")-venv"
exec "$python" -B "$(dirname "$0")/prerequisites.py" "$@"
