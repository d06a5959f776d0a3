"""Mutate lines of the code and see whether the tests of their block notice: `make mutants`.

Runs in a copy of the tree. A mutant that no test notices is a survivor: a test is missing, or the
mutant is equivalent, which `equivalent.txt` then lists with the reason. Exits with 1 if a survivor
is not listed.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")

BLOCKS = {
    "spec": "unit/test_config.py unit/test_physics.py unit/test_isa.py unit/test_assembler.py "
    "unit/test_reference.py unit/test_tile.py unit/test_machine.py rtl/test_packet.py "
    "unit/test_write_verify.py rtl/test_tile_rtl.py rtl/test_hardware_hash.py",
    "golden/draws.py": "unit/test_draws.py unit/test_device.py unit/test_write_verify.py",
    "golden/array": "unit/test_device.py unit/test_array.py unit/test_wires.py unit/test_spice.py "
    "unit/test_transposed.py",
    "golden/converter": "unit/test_transfer.py unit/test_converters.py unit/test_linearity.py "
    "unit/test_tile.py rtl/test_dac.py rtl/test_adc.py",
    "golden/tile": "unit/test_tile.py unit/test_weights.py unit/test_mapping.py "
    "unit/test_calibrate.py unit/test_write_verify.py unit/test_write_verify_pulses.py "
    "unit/test_write_verify_refusals.py unit/test_transposed.py",
    "golden/machine": "unit/test_vector_unit.py unit/test_scheduler.py unit/test_machine.py "
    "unit/test_machine_products.py unit/test_machine_stops.py unit/test_matrix.py",
    "golden/link": "rtl/test_packet.py unit/test_host.py",
    "hw/common": "rtl/test_common.py rtl/test_shift_add.py rtl/test_packet.py",
    "hw/converter": "rtl/test_dac.py rtl/test_adc.py rtl/test_tile_rtl.py",
    "hw/tile": "rtl/test_shift_add.py rtl/test_tile_rtl.py rtl/test_write_verify_rtl.py",
    "hw/link": "rtl/test_packet.py rtl/test_framing.py cosim/test_axi.py cosim/test_uart.py",
    "hw/machine": "rtl/test_vector_memory.py rtl/test_rtl_vector_unit.py rtl/test_sequencer.py "
    "rtl/test_products.py",
    "ohmulator/host": "unit/test_host.py unit/test_front_door.py",
    "ohmulator/compiler": "unit/test_matrix.py unit/test_front_door.py",
}
"""Tests of each block, by its folder or file; the quickest first."""


def tests_of(path: Path) -> list[str]:
    """Return the tests of the block of a file that exist."""
    block = max((b for b in BLOCKS if path.is_relative_to(b)), key=len)
    named = [Path("tests", name) for name in BLOCKS[block].split()]
    return [str(test) for test in named if (ROOT / test).exists()]


def survives(mutant: Mutant, tree: Path, limit_s: float) -> bool:
    """Tell whether all tests of its block pass in a copy of the tree with the mutant."""
    path = tree / mutant.path
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.apply(original), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *tests_of(mutant.path)],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # An endless loop is noticed by whoever waits for it.
        return False
    finally:
        path.write_text(original, encoding="utf-8")
    return done.returncode == 0


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
    parser.add_argument("blocks", nargs="*", default=[*BLOCKS], help=f"of {', '.join(BLOCKS)}")
    parser.add_argument("--count", type=int, default=100, help="mutants to try (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of their choice (default: 0)")
    parser.add_argument("--limit", type=float, default=240, help="seconds for each (default: 240)")
    args = parser.parse_args()
    for block in args.blocks:
        if block not in BLOCKS:
            parser.error(f"there is no block {block!r}: take one of {', '.join(BLOCKS)}")
    return args


def main() -> int:
    args = parse()
    os.chdir(ROOT)
    files = [
        path
        for block in args.blocks
        for path in ([Path(block)] if block.endswith(".py") else sorted(Path(block).rglob("*.py")))
    ]
    known = {each for path in files for each in mutants(path)}
    ordered = sorted(known, key=lambda each: (each.path, each.start, each.after))
    chosen = random.Random(args.seed).sample(ordered, min(args.count, len(ordered)))
    equivalent = {
        line for line in EQUIVALENT.read_text(encoding="utf-8").splitlines() if " => " in line
    }
    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(2):
            trees.put(copy_tree(Path(name) / str(number)))

        def trial(mutant: Mutant) -> bool:
            tree = trees.get()
            try:
                return survives(mutant, tree, args.limit)
            finally:
                trees.put(tree)

        for number, (mutant, lives) in enumerate(
            zip(chosen, pool.map(trial, chosen), strict=True), 1
        ):
            word = "found"
            if lives:
                word = "equivalent" if mutant.name in equivalent else "SURVIVES"
            if word == "SURVIVES":
                survivors.append(mutant)
            print(f"{number:4} {word:10} {mutant.path}:{mutant.line}: {mutant.name}", flush=True)
    found = len(chosen) - len(survivors)
    print(f"{found} of {len(chosen)} mutants found or equivalent")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
