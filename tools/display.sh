#!/bin/sh
# What the window tests need and pip cannot bring: Xvfb, and Tk where this Python has none. Installs it where that
# takes no question (root on a Debian-like system) and says so; elsewhere the tests say what they lack.
set -eu
cd "$(dirname "$0")/.."
[ "$(uname)" = Linux ] || exit 0
missing=
command -v Xvfb >/dev/null 2>&1 || missing=xvfb
.venv/bin/python -c 'import _tkinter' >/dev/null 2>&1 || missing="$missing python3-tk"
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
printf 'coterie: installing%s for the window tests (apt-get) ...\n' " $(echo $missing)" >&2
export DEBIAN_FRONTEND=noninteractive
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >.venv/apt.log 2>&1 </dev/null ||
    { cat .venv/apt.log >&2; echo "coterie: apt-get could not install $missing; the window tests may not run." >&2; }
rm -f .venv/apt.log
