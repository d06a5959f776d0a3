#!/bin/sh
# Python for tests of the front door: makes environments and installs packages in name only, and
# notes what it is asked to do in the folder $NOTES. $REAL_PYTHON does what is left.
case "$1 $2" in
    '-m venv')
        echo "venv $3" >>"$NOTES/log"
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        ;;
    '-m pip')
        echo "pip begins with ${PIP_CONSTRAINT-nothing}" >>"$NOTES/log"
        env >"$NOTES/pip"
        sleep "${SECONDS_OF_PIP:-0}"
        echo 'pip ends' >>"$NOTES/log"
        ;;
    '-m '*)
        echo "job $2 $3" >>"$NOTES/log"
        env >"$NOTES/environment"
        printf '%s\0' "$@" >"$NOTES/arguments"
        ;;
    *) exec "$REAL_PYTHON" "$@" ;;
esac
