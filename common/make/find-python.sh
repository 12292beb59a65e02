#!/bin/sh
# Print the Python that can run the tests: 3.9 or newer, with pytest, pexpect and xdist.
#
# The `python3` that is first in PATH is often not the distribution's (pyenv, conda), and
# packages that setup.sh installed are then invisible to it. So the usual places are tried in
# turn. PYTHON in the environment wins and ends the search.
#
# exit 0: the one printed can run the tests
# exit 1: the one printed is new enough, but lacks a module
# exit 2: there is none, nothing is printed

root=$(cd "$(dirname "$0")/../.." && pwd)

# find_spec looks for a module without running it: a tenth of the time of an import.
# The exit status for a missing module is not 1: that is also how a python3 that is only a
# placeholder (macOS without its developer tools) ends.
check='
import sys
from importlib.util import find_spec
if sys.version_info < (3, 9):
    sys.exit(1)
if any(find_spec(module) is None for module in ("pytest", "pexpect", "xdist")):
    sys.exit(3)'

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- "$root/build/venv/bin/python" python3 \
        /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3
fi

fallback=
for candidate in "$@"; do
    path=$(command -v "$candidate") || continue
    "$path" -c "$check" 2>/dev/null
    case $? in
    0) echo "$path"; exit 0 ;;
    # The distribution's own Python is the one that its packages can complete.
    3) if [ "$path" = /usr/bin/python3 ]; then fallback=$path; fi
       fallback=${fallback:-$path} ;;
    esac
done

[ -n "$fallback" ] || exit 2
echo "$fallback"
exit 1
