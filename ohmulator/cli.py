"""What every command line of the project has in common."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from spec.errors import UserError


class Parser(argparse.ArgumentParser):
    """Command line whose errors are one sentence, like those of everything else."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see --help)")


def run(main: Callable[[], int | None]) -> None:
    """Run `main` and exit: with what it returns, or with 2 and one sentence on a `UserError`."""
    try:
        sys.exit(main() or 0)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
