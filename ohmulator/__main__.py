"""Run a job: `python -m ohmulator JOB --option ...`."""

import importlib
import sys
from collections.abc import Sequence

from ohmulator import cli
from ohmulator.jobs import JOBS
from spec.errors import require, shown

USAGE = "usage: ohmulator JOB [--option value ...]; ohmulator JOB --help lists the options of a job"


@cli.job
def main(argv: Sequence[str]) -> int:
    """Run the job that the first argument names with the others, and return its exit status."""
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        print(USAGE, *(f"  {job:<8}  {about}" for job, about in JOBS.items()), sep="\n")
        return 0
    require(name in JOBS, f"there is no job {shown(name)}: take one of {', '.join(JOBS)}")
    status: int = importlib.import_module(f"ohmulator.jobs.{name}").main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
