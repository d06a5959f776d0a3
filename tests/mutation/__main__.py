"""Mutate lines of the code and see whether the tests of their block notice: `make mutants`.

Runs in a copy of the tree. A mutant that no test notices is a survivor: a test is missing, or the
mutant is equivalent, which `equivalent.txt` then lists by its name, below the reason. Exits with 1
if a survivor is not listed.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")

VECTORS = (
    "rtl/test_vector_check.py rtl/test_vector_memory.py rtl/test_rtl_vector_unit.py "
    "rtl/test_sequencer.py"
)
PRODUCTS = (
    "rtl/test_blocks.py rtl/test_programming_parts.py rtl/test_product_check.py "
    "rtl/test_product_parts.py rtl/test_products.py rtl/test_product_faults.py"
)
TILES = (
    "rtl/test_shift_add.py rtl/test_verify_codes.py rtl/test_tile_rtl.py "
    "rtl/test_write_verify_rtl.py"
)
CHIPS = "cosim/test_chip_cosim.py cosim/test_uart.py cosim/test_axi.py"

SPEC = (
    "unit/test_interface.py unit/test_isa.py unit/test_assembler.py "
    "unit/test_ends_of_programs.py unit/test_config.py unit/test_physics.py "
    "unit/test_refusals_of_spec.py unit/test_choices.py unit/test_verify_levels.py "
    "unit/test_numbers.py "
    "unit/test_weights.py unit/test_calibrate.py unit/test_scheduler.py "
    "unit/test_control_flow.py unit/test_write_verify_refusals.py "
    "unit/test_pace.py rtl/test_packet.py unit/test_advice.py unit/test_machine.py"
)

BLOCKS = {
    "spec": SPEC,
    **dict.fromkeys(["spec/config", "spec/tables"], f"{SPEC} unit/test_lossless.py {TILES}"),
    "spec/hardware": "rtl/test_hardware_hash.py",
    "spec/tops": "jobs/test_verilog.py",
    "golden/checks.py": "unit/test_numbers.py unit/test_tile.py unit/test_device.py "
    "unit/test_linearity.py unit/test_arguments.py unit/test_front_door.py",
    "golden/draws.py": "unit/test_draws_are_kept.py unit/test_draws.py unit/test_device.py "
    "unit/test_write_verify.py",
    "spec/amplifiers": "unit/test_physics.py unit/test_inverse_loop.py",
    "spec/inversion": "unit/test_config.py unit/test_invertible.py unit/test_inversion.py",
    "golden/array": "unit/test_ends_of_golden.py unit/test_single_cells.py "
    "unit/test_rounding.py unit/test_choices.py "
    "unit/test_device.py unit/test_cell_states.py unit/test_array.py unit/test_spice.py "
    "unit/test_wire_limits.py unit/test_wires.py unit/test_transposed.py unit/test_physics.py "
    "unit/test_empty.py",
    "golden/converter": "unit/test_ends_of_golden.py unit/test_draws_are_kept.py "
    "unit/test_limits_of_dacs.py unit/test_choices.py unit/test_transfer.py "
    "unit/test_converters.py unit/test_linearity.py unit/test_tile.py unit/test_array.py "
    "unit/test_empty.py rtl/test_dac.py rtl/test_adc.py",
    "golden/tile": "unit/test_ends_of_golden.py unit/test_weights.py unit/test_mapping.py "
    "unit/test_calibrate.py unit/test_diagnose.py unit/test_tile.py "
    "unit/test_write_verify_refusals.py unit/test_write_verify_pulses.py "
    "unit/test_write_verify.py unit/test_transposed.py rtl/test_shift_add.py unit/test_empty.py "
    "unit/test_machine_stops.py",
    "golden/inverse": "unit/test_inverse_loop.py unit/test_inversion.py",
    "golden/machine/inversion_unit": "unit/test_machine_inversion.py",
    "golden/machine": "unit/test_ends_of_golden.py unit/test_vector_unit.py "
    "unit/test_control_flow.py unit/test_scheduler.py unit/test_machine.py "
    "unit/test_machine_products.py unit/test_machine_stops.py unit/test_matrix.py "
    "unit/test_sharing.py",
    "golden/link": "unit/test_ends_of_programs.py unit/test_host.py unit/test_any_reply.py "
    "rtl/test_packet.py",
    "hw/boundary": "rtl/test_boundary.py rtl/test_tile_rtl.py rtl/test_write_verify_rtl.py "
    "jobs/test_verilog.py docs/test_pins.py",
    "hw/common": "rtl/test_common.py rtl/test_blocks.py rtl/test_item_memory.py "
    f"rtl/test_counters.py rtl/test_snapshots.py rtl/test_shift_add.py {VECTORS} "
    "rtl/test_packet.py rtl/test_product_parts.py rtl/test_tile_rtl.py",
    "hw/converter": f"rtl/test_dac.py rtl/test_adc.py {TILES}",
    "hw/tile": TILES,
    "hw/tile/weights": "rtl/test_programming_parts.py rtl/test_products.py",
    "hw/inverse": "cosim/test_inversion_cosim.py",
    "hw/machine/inversion_unit": "cosim/test_inversion_cosim.py",
    "hw/link": "rtl/test_axi_registers.py rtl/test_reply_of_one_cycle.py rtl/test_framing.py "
    "rtl/test_packet.py rtl/test_snapshots.py cosim/test_axi.py cosim/test_uart.py",
    "hw/link/serial_line": "rtl/test_serial_line.py cosim/test_uart.py",
    "hw/machine": f"{PRODUCTS} {VECTORS}",
    **dict.fromkeys(
        ["hw/machine/decoder", "hw/machine/scalar", "hw/machine/sequencer", "hw/machine/vector"],
        f"{VECTORS} {PRODUCTS}",
    ),
    "hw/tools/area": "rtl/test_cell_areas.py rtl/test_area.py",
    "hw/tools/yosys": "unit/test_yosys_death.py",
    "hw/tools": "rtl/test_area.py jobs/test_verilog.py rtl/test_hardware_hash.py",
    "hw/top/host_access": "rtl/test_host_access.py",
    "hw/top": f"{CHIPS} rtl/test_hardware_hash.py",
    "ohmulator/host": "unit/test_link_limits.py unit/test_host_limits.py unit/test_host.py "
    "unit/test_replies.py unit/test_any_reply.py unit/test_arguments.py unit/test_front_door.py",
    "ohmulator/host/simulated": "unit/test_simulated_carrier.py cosim/test_chip_cosim.py",
    "ohmulator/host/tb_chip": "cosim/test_chip_cosim.py",
    "ohmulator/solver": "unit/test_solver.py",
    "ohmulator/compiler/refinement": "unit/test_refinement.py",
    "ohmulator/solver/on_chip": "unit/test_refinement.py",
    "ohmulator/compiler": "unit/test_ends_of_programs.py unit/test_matrix.py "
    "unit/test_front_door.py unit/test_sharing.py unit/test_arguments.py",
}
"""Tests of each block, by what the paths of its files begin with; the quickest first."""

FOLDERS = "spec", "golden", "hw", "ohmulator/host", "ohmulator/compiler", "ohmulator/solver"
"""Where mutants are made."""


def block_of(path: Path) -> str:
    """Return the block of a file: the longest that its path begins with."""
    return max((block for block in BLOCKS if str(path).startswith(block)), key=len)


def tests_of(block: str) -> list[str]:
    """Return the test files of a block.

    Raises
    ------
    FileNotFoundError
        If one of them does not exist.
    """
    rtl = block.startswith("hw")
    first = ["rtl/test_members.py", "rtl/test_layouts.py"] if rtl else ["unit/test_defaults.py"]
    tests = [Path("tests", name) for name in [*first, *BLOCKS[block].split()]]
    for test in tests:
        if not (ROOT / test).is_file():
            raise FileNotFoundError(f"block {block!r} names {test}, which does not exist")
    return [str(test) for test in tests]


def passes(block: str, tree: Path, limit_s: float | None = None) -> bool:
    """Tell whether all tests of a block pass in a copy of the tree.

    Tests that do not end in time fail: whoever waits for an endless loop notices it.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    # Which examples are drawn depends on nothing; a failure is not made smaller, which takes long.
    command += ["--hypothesis-profile=mutation"]
    with subprocess.Popen(
        [*command, *tests_of(block)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(limit_s) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            # Simulators that a test has started end with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class Trees:
    """Copies of the tree, in which mutants are tried side by side."""

    def __init__(self, folder: Path, count: int):
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self._free.put(copy_tree(folder / str(number)))
        self._seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def one(self) -> Iterator[Path]:
        """Wait for a copy that nobody else uses."""
        tree = self._free.get()
        try:
            yield tree
        finally:
            self._free.put(tree)

    def measure(self, block: str) -> None:
        """Take the time of the tests of a block; they must pass as long as nothing is changed."""
        with self.one() as tree:
            begun = time.monotonic()
            if not passes(block, tree):
                sys.exit(f"{', '.join(tests_of(block))} fail without any mutant")
            self._seconds[block] = time.monotonic() - begun

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether all tests of its block pass with the mutant."""
        block = block_of(mutant.path)
        with self.one() as tree:
            path = tree / mutant.path
            original = path.read_text(encoding="utf-8")
            path.write_text(mutant.apply(original), encoding="utf-8")
            try:
                return passes(block, tree, 60 + 4 * self._seconds[block])
            finally:
                path.write_text(original, encoding="utf-8")


def copy_tree(folder: Path) -> Path:
    """Copy the files that git knows into a folder."""
    known = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, known.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", default=FOLDERS, help=f"files or folders in {', '.join(FOLDERS)}"
    )
    parser.add_argument("--count", type=int, default=100, help="mutants to try (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of their choice (default: 0)")
    parser.add_argument("--workers", type=int, default=2, help="at the same time (default: 2)")
    args = parser.parse_args()
    everything = [path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py"))]
    args.files = [path for path in everything if any(map(path.is_relative_to, args.paths))]
    if not args.files:
        parser.error(f"no file of {', '.join(FOLDERS)} is in {', '.join(args.paths)}")
    return args


def main() -> int:
    os.chdir(ROOT)
    for block in BLOCKS:
        tests_of(block)
    args = parse()
    known = {each for path in args.files for each in mutants(path)}
    ordered = sorted(known, key=lambda each: (each.path, each.start, each.after))
    chosen = random.Random(args.seed).sample(ordered, min(args.count, len(ordered)))
    equivalent = {
        line for line in EQUIVALENT.read_text(encoding="utf-8").splitlines() if " => " in line
    }
    tally = dict.fromkeys(("found", "equivalent", "SURVIVES"), 0)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(args.workers) as pool:
        trees = Trees(Path(name), args.workers)
        [*pool.map(trees.measure, sorted({block_of(mutant.path) for mutant in chosen}))]
        lives = pool.map(trees.survives, chosen)
        for number, (mutant, alive) in enumerate(zip(chosen, lives, strict=True), 1):
            word = "found"
            if alive:
                word = "equivalent" if mutant.name in equivalent else "SURVIVES"
            tally[word] += 1
            print(f"{number:4} {word:10} line {mutant.line} of {mutant.name}", flush=True)
    print(
        f"of {len(chosen)} mutants {tally['found']} found, {tally['equivalent']} equivalent, "
        f"{tally['SURVIVES']} alive"
    )
    return 1 if tally["SURVIVES"] else 0


if __name__ == "__main__":
    sys.exit(main())
