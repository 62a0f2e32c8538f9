#!/bin/sh
# Make .venv hold exactly what uv.lock says. uv comes from the PATH, else by pip into .local/uv, which
# touches neither the system's Python nor the person's (PEP 668).
set -u
cd "$(dirname "$0")/../.." || exit 1
private=.local/uv
said=.local/bootstrap.log
mkdir -p .local

fail() {
    [ -s "$said" ] && cat "$said" >&2
    echo "bootstrap: $1" >&2
    exit 1
}

sync_with() {
    # uv brings certificates of its own; behind a bank's proxy only the machine's are right.
    "$1" sync --frozen --quiet 2>"$said" ||
        UV_NATIVE_TLS=true UV_SYSTEM_CERTS=true "$1" sync --frozen --quiet 2>"$said"
}

get_private_uv() {
    [ -x "$private/bin/uv" ] && return 0
    command -v python3 >/dev/null 2>&1 || fail "Python 3.11 or later is missing: apt-get install python3"
    echo "bootstrap: getting uv into $private" >&2
    # Debian ships pip and venv apart; either is enough.
    python3 -m pip install --quiet --disable-pip-version-check --target "$private" "uv>=0.9,<1" 2>>"$said" && return 0
    python3 -m venv "$private" >>"$said" 2>&1 && "$private/bin/python" -m pip install --quiet "uv>=0.9,<1" 2>>"$said" && return 0
    rm -rf "$private"
    fail "uv is missing and could not be got: apt-get install python3-pip, and a way to the package index"
}

: >"$said"
if command -v uv >/dev/null 2>&1; then
    sync_with uv && exit 0
    # Perhaps it is too old to read this lock file: try with our own before giving up.
fi
get_private_uv
sync_with "$private/bin/uv" ||
    fail "the packages of uv.lock could not be installed; try again with: $private/bin/uv sync --frozen"
