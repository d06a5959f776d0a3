#!/bin/sh
# Set up what targets of the Makefile need: .venv, and the system programs it cannot hold.
#
#   sh environment/setup.sh run|area|docs|fpga|test
#                                       .venv with the packages of environment/locks
#   sh environment/setup.sh newest      build/newest with the newest that pyproject.toml allows
#   sh environment/setup.sh lock        build/lock with what writes environment/locks
#
# PYTHON names the Python of .venv. Missing system packages are installed with apt-get where that
# asks for no password; if a required one stays missing, one sentence says so and the status is 2.
# .venv/run.stamp holds the name of its Python; a .venv without it is half-made and is made again.
set -u
purpose=$1
case $purpose in
    newest | lock) venv=build/$purpose ;;
    *) venv=.venv ;;
esac
unset CDPATH
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
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    for python; do
        command -v -- "$python" >/dev/null || continue
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
        case $python in
            python3 | python3.1[123]) packages=$python ;;
        esac
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
    # A service that is started by its installation must not hold the lock below.
    $apt install --no-install-recommends "$@" </dev/null >/dev/null 2>&1 9>&-
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

# Wait until no other set-up of this checkout runs. The lock is one of the open file, which is this
# script: the system drops it when this process has ended, in whatever way. Python takes it, since
# not every system has flock(1); a file system without locks is used without.
waiting='
import fcntl, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
try:
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting for another set-up to end", file=sys.stderr)
        fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass
'
take_turn() {
    [ -z "${turn:-}" ] || return
    turn=mine
    exec 9>>environment/setup.sh
    "$python" -c "$waiting" || exit
}

# Tell whether .venv is as it should be, perhaps by another set-up.
complete() {
    [ "$venv" = .venv ] && [ -f ".venv/$purpose.stamp" ] &&
        made_with=$(cat .venv/run.stamp 2>/dev/null) &&
        [ "${PYTHON:-$made_with}" = "$made_with" ] && .venv/bin/python -c '' 2>/dev/null &&
        [ -z "$(find -L pyproject.toml environment/setup.sh environment/locks/* .venv/run.stamp \
            .venv/bin/python -newer ".venv/$purpose.stamp")" ]
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

# Hide variables that tell pip anything but where packages come from.
clear_pip_variables() {
    for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p'); do
        case $name in
            PIP_INDEX_URL | PIP_EXTRA_INDEX_URL | PIP_FIND_LINKS | PIP_NO_INDEX) ;;
            PIP_CERT | PIP_CLIENT_CERT | PIP_TRUSTED_HOST | PIP_PROXY | PIP_KEYRING_PROVIDER) ;;
            PIP_CACHE_DIR | PIP_NO_CACHE_DIR | PIP_CONFIG_FILE) ;;
            PIP_DEFAULT_TIMEOUT | PIP_TIMEOUT | PIP_RETRIES) ;;
            *) unset "$name" ;;
        esac
    done
}

# Wheels only: a build from source can take an hour. Uncompiled: most modules are never imported.
# Variables, since no option of every pip constrains also what builds this project's own package.
pip_install() {
    lock=
    [ "$venv" != .venv ] || lock=environment/locks/$(
        "$venv/bin/python" -c 'import sys; print("python%d.%d.txt" % sys.version_info[:2])'
    )
    {
        PIP_CONSTRAINT=$lock PIP_BUILD_CONSTRAINT=$lock \
            "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile \
            --no-warn-script-location --only-binary :all: --progress-bar off "$@" 2>&1 ||
            echo failed
    } | show_progress || exit 2
}

make_venv() {
    rm -rf "$venv"
    say "Creating $venv with $("$python" --version)"
    "$python" -m venv "$venv" >&2 || fail "'$python -m venv $venv' did not work"
}

# Print the requirements of a dependency group, which not every pip can read.
group() {
    "$venv/bin/python" -c '
import sys, tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]])
' "$1"
}

# Install a program, named like its package, whose tests are skipped without it.
second_opinion() {
    command -v "$1" >/dev/null || apt_install "$1" ||
        say "$2 is missing, so its tests are skipped: sudo apt-get install $1"
}

install_run() {
    made_with=$(cat .venv/run.stamp 2>/dev/null)
    if [ "${PYTHON:-$made_with}" != "$made_with" ] || ! .venv/bin/python -c '' 2>/dev/null; then
        made_with=
    fi
    [ -n "$made_with" ] || make_venv
    say "Installing Python packages into .venv (about a minute, only this once)"
    pip_install --editable .
    printf '%s\n' "${made_with:-$python}" >.venv/run.stamp
}

# Install extras of pyproject.toml for the purpose that is said.
install_extras() {
    say "Installing packages for $2 into .venv (only this once)"
    pip_install --editable ".[$1]"
    touch ".venv/$purpose.stamp"
}
install_area() { install_extras area 'mapping to FPGAs'; }
install_docs() { install_extras docs 'the documentation'; }
install_fpga() { install_extras area,fpga 'place and route on FPGAs'; }

install_test() {
    second_opinion iverilog 'Icarus Verilog'
    second_opinion ngspice ngspice
    say "Installing test packages into $venv (only this once)"
    pip_install --editable '.[area,docs,test]'
    # shellcheck disable=SC2046 # One word for each requirement.
    pip_install --no-deps $(group alone)
    touch "$venv/test.stamp"
}

install_newest() {
    make_venv
    install_test
}

install_lock() {
    make_venv
    say "Installing what chooses packages into $venv"
    # shellcheck disable=SC2046 # One word for each requirement.
    pip_install $(group lock)
}

if ! complete; then
    # Where there is no Python yet, the lock of apt-get has to do.
    ! choose_python || take_turn
    set_up_system
    take_turn
    clear_pip_variables
    complete || "install_$purpose"
fi
