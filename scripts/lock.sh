#!/bin/sh
# Writes the lock files anew from pyproject.toml: what resolves today for every Python from 3.11, with hashes, no index named.
#   scripts/lock.sh [options of `uv pip compile`, such as --upgrade or --upgrade-package django]
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

compile() {
    output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" --output-file "$output" "$@"
}

uv_version=$("$uv" --version | cut -d ' ' -f 2)
echo "uv==$uv_version" | compile requirements-uv.lock --no-annotate -
compile requirements.lock --all-extras "$@" pyproject.toml
# The developer's lock is held to the runner's versions, so both test and run the same thing.
compile requirements-dev.lock --all-extras --group dev --constraint requirements.lock "$@" pyproject.toml
