"""`make lint` finds what is wrong with Verilog, and nothing where nothing is."""

import pytest

from hw.tools.lint import DESIGNS, lint
from hw.tools.verilog import TOPS

RIGHT = """
module m (input clk, input [3:0] a, output reg [3:0] b);
  always @(posedge clk) b <= a;
endmodule
"""


def test_every_top_level_is_linted():
    assert {top for top, _ in DESIGNS.values()} == {*TOPS}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_verilog_of_every_design_has_no_warning(name):
    top, made = DESIGNS[name]
    assert lint(made(), top) == ""


def test_right_verilog_is_passed():
    assert lint(RIGHT, "m") == ""


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("b <= a", "b <= a[4:1]", "SELRANGE"),
        ("b <= a", "b <= {1'b0, a}", "WIDTHTRUNC"),
        ("always @(posedge clk)", "always @*", "COMBDLY"),
        ("always @(posedge clk) b <= a", "always @* if (clk) b = a", "LATCH"),
        ("b <= a;", "b[0] <= a[0];", "UNDRIVEN"),
        ("endmodule", "  other inner (.clk(clk)); endmodule", "MODMISSING"),
    ],
)
def test_wrong_verilog_is_told(old, new, kind):
    assert f"-{kind}:" in lint(RIGHT.replace(old, new), "m")
