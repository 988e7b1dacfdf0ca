#!/usr/bin/env bash
# Makes this clone ready to run and test, from nothing but Debian, Python 3.11 or newer and make.
#
# Steps, each skipped when its result is already there: the virtual environment in .venv, the packages that
# requirements/lock-dev.txt pins by version and hash, the web pages built from pages/, and, for `setup.sh tests`, the
# programs that tests and benchmarks run against: PostgreSQL and Chromium. Nothing outside .venv, pages/node_modules and
# the built pages is touched but through apt, and only for what is missing.
#
#   FORMICARY_PYTHON   the interpreter to use; otherwise the first suitable one on the path
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
lock=requirements/lock-dev.txt
venv=.venv

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# ------------------------------------------------------------------------------------------------------------- Debian

# Names the command that gives apt its rights, or fails where there is none: sudo is asked only if someone can answer.
rights() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        echo sudo env
    else
        return 1
    fi
}

# Installs Debian packages; apt's many lines are shown only when something went wrong.
apt_install() {
    local log as_root
    command -v apt-get >/dev/null && as_root=$(rights) || return 1
    say "installing Debian packages: $*"
    log=$(mktemp)
    if $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq >"$log" 2>&1 &&
        $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >>"$log" 2>&1; then
        rm -f "$log"
        return
    fi
    cat "$log" >&2
    rm -f "$log"
    return 1
}

# ------------------------------------------------------------------------------------------------------------- Python

suitable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }

find_python() {
    local name
    for name in ${FORMICARY_PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
        if command -v "$name" >/dev/null && suitable "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

# True when .venv works, and was made for this place: a copied environment's scripts point at where it came from.
venv_is_sound() {
    suitable $venv/bin/python && [ "$(cat $venv/.root 2>/dev/null)" = "$root" ] && $venv/bin/python -m pip --version >/dev/null 2>&1
}

make_venv() {
    local python version
    if ! python=$(find_python); then
        apt_install python3 python3-venv || stop "needs Python 3.11 or newer: install it, or set FORMICARY_PYTHON."
        python=$(find_python) || stop "Debian's Python here is older than 3.11: install a newer one and set FORMICARY_PYTHON."
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt_install "python$version-venv" || apt_install python3-venv ||
            stop "$python can't make virtual environments, and apt needs root to mend that: run 'apt-get install python$version-venv' as root, then again."
    fi
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear $venv
    printf '%s\n' "$root" >$venv/.root
}

# A stamp holds the hash of what was installed, so that an unchanged lock costs nothing and a changed one is seen.
fresh() { [ "$(cat "$venv/$1" 2>/dev/null)" = "$2" ]; }

if ! venv_is_sound; then make_venv; fi

lock_hash=$(sha256sum <$lock)
if ! fresh .stamp-lock "$lock_hash"; then
    say "installing the pinned packages of $lock (about 200 MB, once)"
    $venv/bin/python -m pip install --quiet --no-input --require-hashes --only-binary :all: -r $lock
    printf '%s\n' "$lock_hash" >$venv/.stamp-lock
fi

project_hash=$(sha256sum <pyproject.toml)
if ! fresh .stamp-project "$project_hash"; then
    say "installing formicary itself, editable"
    $venv/bin/python -m pip install --quiet --no-input --no-deps --no-build-isolation --editable .
    printf '%s\n' "$project_hash" >$venv/.stamp-project
fi

# -------------------------------------------------------------------------------------------------------------- pages

node_suits() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

# Node.js comes from the machine where it is new enough, else as a wheel into .venv.
if ! { command -v node >/dev/null && node_suits node && command -v npm >/dev/null; }; then
    if ! node_suits $venv/bin/node; then
        say "installing Node.js into $venv, to build the pages (60 MB, once)"
        $venv/bin/python -m pip install --quiet --no-input --require-hashes --only-binary :all: -r requirements/lock-node.txt
    fi
    PATH="$root/$venv/bin:$PATH"
fi

pages_hash=$(find pages -type f -not -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if ! fresh .stamp-pages "$pages_hash" || [ ! -e src/formicary/web/static/index.html ]; then
    packages_hash=$(sha256sum <pages/package-lock.json)
    if ! fresh .stamp-npm "$packages_hash" || [ ! -d pages/node_modules ]; then
        say "installing the pages' packages (once)"
        (cd pages && npm ci --no-audit --no-fund --silent)
        printf '%s\n' "$packages_hash" >$venv/.stamp-npm
    fi
    say "building the pages"
    log=$(mktemp)
    (cd pages && npm run --silent build) >"$log" 2>&1 || { cat "$log" >&2; stop "the pages did not build."; }
    rm -f "$log"
    printf '%s\n' "$pages_hash" >$venv/.stamp-pages
fi

# ----------------------------------------------------------------------------------------------------- for the tests

have_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

if [ "${1:-}" = tests ]; then
    if ! have_postgres && ! apt_install postgresql; then
        say "PostgreSQL is missing and apt needs root to install it. The ledger runs without; the tests and the benchmark"
        say "of the PostgreSQL log are skipped until someone runs 'apt-get install postgresql' as root."
    fi
    if ! command -v chromium >/dev/null && ! apt_install chromium fonts-noto-cjk; then
        say "Chromium is missing and apt needs root to install it. The wallet runs without; the tests of its pages are"
        say "skipped until someone runs 'apt-get install chromium' as root."
    fi
fi

# ------------------------------------------------------------------------------------------------------ compiled code

# Only once: after a change of its sources a function is compiled again when it is first called.
if [ ! -e $venv/.stamp-warm ]; then
    say "compiling the ledger into its cache (about a minute, once)"
    $venv/bin/python tools/warm.py
    touch $venv/.stamp-warm
fi
