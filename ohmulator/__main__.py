"""Run a job: `python -m ohmulator JOB --option ...`."""

import importlib
import sys
from collections.abc import Sequence

from ohmulator import require_checkout

USAGE = "usage: ohmulator JOB [--option value ...]; ohmulator JOB --help lists the options of a job"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job that the first argument names with the others, and return its exit status."""
    try:
        require_checkout()
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # Not before: its imports are what may be missing.
    from ohmulator import cli

    return cli.job(dispatch)(argv)


def dispatch(argv: Sequence[str]) -> int:
    """Run the job that the first argument names; raise `UserError` if there is none."""
    from ohmulator import cli
    from ohmulator.jobs import JOBS
    from spec.errors import require, shown

    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        cli.say("\n".join([USAGE, *(f"  {job:<8}  {about}" for job, about in JOBS.items())]))
        return 0
    require(name in JOBS, f"there is no job {shown(name)}: take one of {', '.join(JOBS)}")
    status: int = importlib.import_module(f"ohmulator.jobs.{name}").main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
