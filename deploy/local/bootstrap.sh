#!/bin/sh
# Make .venv hold exactly what uv.lock says. uv comes from the PATH, else by pip into .local/uv, which
# touches neither the system's Python nor the person's (PEP 668).
set -u
cd "$(dirname "$0")/../.." || exit 1
private=.local/uv

fail() {
    echo "bootstrap: $1" >&2
    exit 1
}

command -v python3 >/dev/null 2>&1 || command -v uv >/dev/null 2>&1 ||
    fail "Python 3.11 or later is missing: apt-get install python3"

get_private_uv() {
    [ -x "$private/bin/uv" ] && return 0
    echo "getting uv into $private" >&2
    python3 -m pip install --quiet --disable-pip-version-check --target "$private" "uv>=0.9,<1" 2>/dev/null && return 0
    # Debian ships pip and venv apart; either is enough.
    python3 -m venv "$private" 2>/dev/null && "$private/bin/python" -m pip install --quiet "uv>=0.9,<1" && return 0
    rm -rf "$private"
    fail "uv is missing and could not be got: apt-get install python3-pip (it also needs a way to PyPI)"
}

if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
    uv sync --frozen --quiet 2>/dev/null && exit 0
    # An old uv may not read this lock file.
fi
get_private_uv
"$private/bin/uv" sync --frozen --quiet ||
    fail "the packages of uv.lock could not be installed (see above); try again with: $private/bin/uv sync --frozen"
