#!/bin/sh
# Set up what `make run` or `make test` needs: .venv, and the system programs it cannot hold.
#
#   sh environment/setup.sh run|test
#
# PYTHON names the Python of .venv. Missing system packages are installed with apt-get where that
# asks for no password; if a required one stays missing, one sentence says so and the status is 2.
# .venv/run.stamp holds the name of its Python; a .venv without it is half-made and is made again.
set -u
purpose=$1
cd "$(dirname "$0")/.." || exit 2

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "Set-up stopped: $*"
    exit 2
}

# Run by a Python to judge itself: prints the Debian packages it lacks, or exits with the reason
# why it cannot be used. .venv needs ensurepip, and cocotb loads Python into the simulator as a
# shared library; Debian packs both apart, any other Python either has them or never will.
judge='
import sys
version = "%d.%d" % sys.version_info[:2]
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit("is Python " + version)
import ctypes, importlib.util, sysconfig
def loads(path):
    try:
        return bool(ctypes.CDLL(path))
    except OSError:
        return False
lacking = []
if importlib.util.find_spec("ensurepip") is None:
    lacking.append("python" + version + "-venv")
library = sysconfig.get_config_var("INSTSONAME")
folders = ["", sysconfig.get_config_var("LIBDIR") + "/", sys.base_prefix + "/lib/"]
if sys.platform == "linux" and not any(loads(folder + library) for folder in folders):
    lacking.append("libpython" + version)
if lacking and sys.base_prefix != "/usr":
    sys.exit("was built without ensurepip or without a shared library")
print(*lacking)
'

# Set `python` to the first usable one and `packages` to what it lacks, or else `reason`.
choose_python() {
    reason='is not installed'
    for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        command -v "$python" >/dev/null || continue
        packages=$("$python" -c "$judge" 2>&1) && return
        case $packages in
            'is Python '* | 'was built '*) reason=$packages ;;
            *) reason='does not run' ;;
        esac
        packages=
    done
    return 1
}

# Set `packages` to all Debian packages that are missing.
find_missing() {
    packages=
    if ! choose_python && [ "$reason" = 'is not installed' ]; then
        packages=$python
    fi
    command -v c++ >/dev/null || packages="${packages:+$packages }g++"
    # Verilator is a Perl script that needs more than Debian's smallest Perl.
    perl -MPod::Usage -e 1 2>/dev/null || packages="${packages:+$packages }perl"
}

# Install Debian packages where that asks for no password.
apt_install() {
    command -v apt-get >/dev/null || return 1
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        sudo='sudo -n'
    fi
    say "Installing system packages:" "$@"
    apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
    [ -n "${updated:-}" ] || $apt update >/dev/null 2>&1
    updated=yes
    $apt install --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

# shellcheck disable=SC2086 # `packages` is a list.
set_up_system() {
    # Up to twice, since a missing Python cannot yet say what it will lack.
    find_missing
    [ -z "$packages" ] || { apt_install $packages && find_missing; }
    [ -z "$packages" ] || { apt_install $packages && find_missing; }
    [ -z "$packages" ] || fail "system packages are missing (named as in Debian):" \
        "sudo apt-get install $packages"
    choose_python || fail "Python 3.11, 3.12 or 3.13 is needed, but $python $reason:" \
        "install one, or name one as in 'make $purpose PYTHON=/usr/bin/python3.12'"
}

# Show what pip says as one moving line on a terminal, and its last error where it fails.
show_progress() {
    error=
    while IFS= read -r line; do
        case $line in
            failed) fail "pip cannot install the Python packages, ${error:-$line}" \
                "(does it reach its package index?)" ;;
            *ERROR:*) error=${line##*ERROR: } ;;
        esac
        [ ! -t 2 ] || printf '\r\033[K%.78s\r' "$line" >&2
    done
    [ ! -t 2 ] || printf '\033[K' >&2
}

# Wheels only: a build from source can take an hour. Uncompiled: most modules are never imported.
pip_install() {
    {
        .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-compile \
            --no-warn-script-location --only-binary :all: --progress-bar off "$@" 2>&1 ||
            echo failed
    } | show_progress || exit 2
}

set_up_run() {
    set_up_system
    made_with=$(cat .venv/run.stamp 2>/dev/null)
    if [ "${PYTHON:-$made_with}" != "$made_with" ] || ! .venv/bin/python -c '' 2>/dev/null; then
        made_with=
    fi
    if [ -z "$made_with" ]; then
        rm -rf .venv
        say "Creating .venv with $("$python" --version)"
        "$python" -m venv .venv >&2 || fail "'$python -m venv .venv' did not work"
    fi
    say "Installing Python packages into .venv (about a minute, only this once)"
    pip_install --editable .
    printf '%s\n' "${made_with:-$python}" >.venv/run.stamp
}

# Install a program, named like its package, whose tests are skipped without it.
second_opinion() {
    command -v "$1" >/dev/null || apt_install "$1" ||
        say "$2 is missing, so its tests are skipped: sudo apt-get install $1"
}

set_up_test() {
    second_opinion iverilog 'Icarus Verilog'
    second_opinion ngspice ngspice
    say "Installing test packages into .venv (only this once)"
    pip_install --editable '.[test]'
    # Independent solver of crossbar arrays; 1.1 is tested. Without its dependencies, one of which
    # is built from source, since only its drawings need those that are not among ours.
    pip_install --no-deps 'badcrossbar>=1.1,<2'
    touch .venv/test.stamp
}

"set_up_$purpose"
