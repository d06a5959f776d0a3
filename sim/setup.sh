#!/bin/sh
# Set up what `make run` or `make test` needs: .venv, and the system programs it cannot hold.
#
#   sh sim/setup.sh run|test
#
# PYTHON names the Python of a new .venv. Missing system packages are installed with apt-get where
# that needs no password; if a required one stays missing, one sentence says so and the status is 2.
# .venv/run.stamp and .venv/test.stamp exist only while everything before them is complete.
set -u
purpose=$1
cd "$(dirname "$0")/.." || exit 2

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "Set-up stopped: $*"
    exit 2
}

# Set `python` to the first that fits.
choose_python() {
    for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
            2>/dev/null && return
    done
    return 1
}

# Print what Debian packs apart from Python: ensurepip, which .venv needs, and the shared library,
# which cocotb loads into the simulator.
lacking_python() {
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' 2>/dev/null || printf ' python%s-venv' "$version"
    "$python" - 2>/dev/null <<'END' || printf ' libpython%s' "$version"
import ctypes, sys, sysconfig

if sys.platform == "linux":
    name = sysconfig.get_config_var("INSTSONAME")
    for folder in ("", f"{sysconfig.get_config_var('LIBDIR')}/", f"{sys.base_prefix}/lib/"):
        try:
            ctypes.CDLL(folder + name)
            break
        except OSError:
            pass
    else:
        sys.exit(1)
END
}

# Print the names of missing Debian packages. Verilator is a Perl script, which needs more than
# Debian's smallest Perl, and writes C++.
lacking() {
    if choose_python; then
        lacking_python
    elif ! command -v "${PYTHON:-python3}" >/dev/null; then
        printf ' %s' "${PYTHON:-python3}"
    fi
    command -v c++ >/dev/null || printf ' g++'
    perl -MPod::Usage -e 1 2>/dev/null || printf ' perl'
}

# Install packages where that asks for no password.
apt_install() {
    if ! command -v apt-get >/dev/null; then
        return 1
    elif [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif sudo -n true 2>/dev/null; then
        sudo='sudo -n'
    else
        return 1
    fi
    say "Installing system packages: $*"
    apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
    if [ -z "${apt_updated:-}" ]; then
        $apt update >/dev/null 2>&1
        apt_updated=1
    fi
    $apt install --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

set_up_system() {
    # Twice: only with a Python can be told what that Python lacks.
    for attempt in 1 2; do
        packages=$(lacking)
        [ -n "$packages" ] || break
        # shellcheck disable=SC2086 # one argument per package
        apt_install $packages || break
    done
    packages=$(lacking)
    [ -z "$packages" ] || fail "something is missing that only an administrator can install:" \
        "sudo apt-get install$packages"
    choose_python || fail "Python 3.11, 3.12 or 3.13 is needed, and" \
        "${PYTHON:-python3} is $("${PYTHON:-python3}" -V 2>&1): name another," \
        "as in 'make $purpose PYTHON=python3.12'"
}

# Icarus is a second opinion: without it its tests are skipped.
set_up_icarus() {
    command -v iverilog >/dev/null || apt_install iverilog || say \
        "Icarus Verilog is missing: its tests are skipped until 'sudo apt-get install iverilog'"
}

# Install Python packages; wheels only, since a build from source could take an hour, and without
# compiling them, since most modules are never imported.
pip_install() {
    errors=$(.venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-warn-script-location --no-compile --only-binary :all: "$@" 2>&1) || {
        say "$errors"
        fail "pip could not install the Python packages; the reason stands above, and" \
            "'make $purpose' tries again (is the package index within reach?)"
    }
}

set_up_run() {
    set_up_system
    if [ ! -e .venv/run.stamp ] || ! .venv/bin/python -c '' 2>/dev/null; then
        rm -rf .venv
        say "Creating .venv with $("$python" -V)"
        "$python" -m venv .venv || fail "'$python -m venv .venv' did not work"
    fi
    say "Installing Python packages into .venv (once, about a minute)"
    rm -f .venv/run.stamp .venv/test.stamp
    pip_install --editable .
    touch .venv/run.stamp
}

set_up_test() {
    set_up_icarus
    say "Installing test packages into .venv (once)"
    rm -f .venv/run.stamp .venv/test.stamp
    pip_install --editable '.[test]'
    # Without its dependencies: they are for drawing, and one is built from source.
    pip_install --no-deps 'badcrossbar>=1.1,<1.2'
    touch .venv/run.stamp .venv/test.stamp
}

"set_up_$purpose"
