"""Cells in any state: what pulses and time may do to them, and what they never do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from golden.array.cells import STRONGEST, Cells, Pulse
from spec.config import ChipConfig
from spec.physics import LARGEST
from tests.support.configs import chip

SHARES = st.floats(0, 1)
"""Of the largest conductance that a cell may be given."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple]:
    """Draw what happens to cells, pulses last."""
    event = st.one_of(
        st.tuples(st.just("place"), SHARES),
        st.tuples(st.just("stick"), SHARES),
        st.tuples(st.just("program"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 10.0, 1e6, 1e12])),
        st.tuples(st.just("relax")),
        st.tuples(st.just("pulse"), st.sampled_from(Pulse), st.integers(0, 31)),
    )
    pulse = st.tuples(st.just("pulse"), st.sampled_from(Pulse), st.integers(0, STRONGEST))
    return [*draw(st.lists(event, max_size=8)), *draw(st.lists(pulse, min_size=1, max_size=3))]


def configs() -> st.SearchStrategy[ChipConfig]:
    return st.builds(
        chip,
        seed=st.integers(0, 9),
        drift=st.sampled_from([0.0, 0.1, -0.1, 1.0, -1.0]),
        drift_spread=st.sampled_from([0.0, 0.3]),
        relaxation=st.sampled_from([0.0, 0.3, 10.0]),
        program_error=st.sampled_from([0.0, 10.0]),
        stuck_any=st.sampled_from([0.0, 0.3]),
        headroom=st.sampled_from([0.0, 0.1, 3.0]),
        pulse_step=st.sampled_from([1e-9, 0.02, 10.0]),
        pulse_cycle_spread=st.sampled_from([0.0, 1.0]),
        g_min_s=st.sampled_from([0.0, 0.5e-6]),
    )


@given(configs(), histories())
def test_pulses_never_act_backwards_and_stuck_cells_never_move(config, history):
    cells = Cells(config)
    everywhere = np.nonzero(np.ones(cells.shape, bool))
    top_s = LARGEST * config.array.g_max_s
    for name, *arguments in history:
        before, stuck = cells.g_s, cells.stuck.copy()
        match name, arguments:
            case "place", [share]:
                cells.place(np.full(cells.shape, share * top_s))
            case "stick", [share]:
                cells.stick(0, 1, [2, 3], share * top_s)
                stuck[0, 1, 2:4] = False
            case "program", [level]:
                cells.program(np.full(cells.shape, level))
            case "wait", [seconds]:
                cells.wait(seconds)
            case "relax", []:
                cells.relax()
            case "pulse", [kind, amplitude]:
                cells.pulse(*everywhere, kind, amplitude)
                moved = cells.g_s - before
                assert (moved.min() >= 0) if kind is Pulse.SET else (moved.max() <= 0)
        after = cells.g_s
        assert (after[stuck] == before[stuck]).all()
        assert np.isfinite(after).all() and after.min() >= 0 and after.max() <= top_s
