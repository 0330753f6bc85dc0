#!/bin/sh
# Makes .venv hold exactly what a lock file names; does nothing, in milliseconds, when it already does.
#   scripts/setup.sh run   what `make run` needs
#   scripts/setup.sh dev   that and the tools of `make test`
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
kind=${1:?run or dev}
venv=$here/.venv
uv_lock=requirements-uv.lock

fail() {
    echo "setup: $*" >&2
    exit 1
}

case $kind in
    run) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) fail "say run or dev, not '$kind'" ;;
esac

is_synced() { # a stamp is the very text that was installed, so it can never be half right
    [ -f "$venv/stamp-uv" ] && cmp -s "$uv_lock" "$venv/stamp-uv" &&
        [ -f "$venv/stamp-$1" ] && cmp -s "$2" "$venv/stamp-$1"
}

is_ours() { # scripts in a venv name its folder: after a move or a new Python it must be made again
    [ -f "$venv/stamp-path" ] && [ "$(cat "$venv/stamp-path")" = "$here" ] && is_new_enough "$venv/bin/python"
}

is_new_enough() {
    "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if command -v "$name" >/dev/null 2>&1 && is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# A developer's venv holds all that `run` needs: leave its tools in place.
if [ "$kind" = run ] && [ -f "$venv/stamp-dev" ]; then
    kind=dev
    lock=requirements-dev.lock
fi

# `is_new_enough` starts Python (20 ms), so the common case looks at files only.
if [ -x "$venv/bin/python" ] && is_synced "$kind" "$lock" && [ "$(cat "$venv/stamp-path" 2>/dev/null)" = "$here" ]; then
    exit 0
fi

if ! is_ours; then
    python=$(find_python) || fail "Flowdesk needs Python 3.11 or newer, and none was found" \
        "(looked for ${PYTHON:-python3, python3.11 to python3.14}). Install one, or name it: make run PYTHON=/path/to/python3.11"
    [ ! -e "$venv" ] || [ -f "$venv/pyvenv.cfg" ] || fail "$venv exists but is no Python environment; move it away"
    echo "setup: making .venv with $python ($("$python" -c 'import platform; print(platform.python_version())'))"
    rm -rf "$venv"
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        fail "'$python -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv"
    }
    echo "$here" >"$venv/stamp-path"
fi

if ! cmp -s "$uv_lock" "$venv/stamp-uv"; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$uv_lock" ||
        fail "uv could not be installed; is the package index reachable?"
    cp "$uv_lock" "$venv/stamp-uv"
fi

echo "setup: installing $(grep -c '^[a-z0-9].*==' "$lock") pinned packages from $lock"
rm -f "$venv/stamp-run" "$venv/stamp-dev"
# Compiled now: else a first start does it, and every start where Python may not write beside its modules.
"$venv/bin/uv" pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes "$lock" ||
    fail "the packages of $lock could not be installed"

# The project itself: one line on the import path and its command; nothing to build, nothing to fetch.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$here" >"$site/flowdesk.pth"
[ ! -d flowdesk ] || "$venv/bin/python" -m compileall -q flowdesk # an image copies it in later
# -P: never code that lies in the folder somebody happens to stand in.
printf '#!/bin/sh\nexec "%s/bin/python" -P -m flowdesk "$@"\n' "$venv" >"$venv/bin/flowdesk"
chmod 755 "$venv/bin/flowdesk"
cp "$lock" "$venv/stamp-$kind"
