"""Simulate `sar_tile`: `.venv/bin/python examples/own_rtl/run.py [verilator|icarus]`."""

import sys
from pathlib import Path

from sim.own_run import simulate

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.exit(simulate([HERE / "sar_tile.sv"], "sar_tile", HERE / "bench.py", sys.argv[1:]))
