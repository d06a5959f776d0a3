"""The bench that compares two Verilog files tells alike from different, wherever they differ."""

import pytest
from amaranth.back import verilog

from hw.common.streams import StreamRegister
from tests.bench import equivalence


@pytest.fixture(scope="module")
def compare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equivalence")
    old = verilog.convert(StreamRegister(8), name="dut", emit_src=False)

    def run(new: str, *options: str) -> int:
        for name, text in (("old", old), ("new", new)):
            (folder / f"{name}.v").write_text(text)
        arguments = [f"{folder}/old.v", f"{folder}/new.v", "--top", "dut", "--cycles", "2000"]
        return equivalence.main([*arguments, "--folder", str(folder), *options])

    return old, run


def test_the_same_design_is_alike(compare, capfd):
    old, run = compare
    assert run(old) == 0
    out = capfd.readouterr().out
    assert "the bodies are the same" in out
    assert "differences 0" in out
    assert "toggled o__payload 8 of 8" in out
    assert "toggled i__ready 1 of 1" in out


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("= i__valid;", "= i__valid & ~&i__payload;"), ("= i__payload;", "= i__payload ^ 8'd1;")],
    ids=["valid", "payload"],
)
def test_a_difference_is_found_and_located(compare, capfd, right, wrong):
    old, run = compare
    assert right in old
    assert run(old.replace(right, wrong)) == 1
    out = capfd.readouterr().out
    assert "difference cycle" in out
    assert "o__payload old" in out or "o__valid old" in out


def test_a_payload_counts_while_it_is_valid(compare, capfd):
    old, run = compare
    assert "o__payload = 8'h00;" in old
    assert run(old.replace("o__payload = 8'h00;", "o__payload = 8'h55;")) == 0
    assert "differences 0" in capfd.readouterr().out


def test_other_ports_are_a_difference(compare, capfd):
    old, run = compare
    assert run(old.replace("[7:0] o__payload", "[6:0] o__payload")) == 1
    assert "ports differ" in capfd.readouterr().out


def test_hashes_are_made_the_same():
    old = "// configuration hash 0000000200000001\nx = 32'd1; y = 32'd2; z = 32'd12;\n"
    new = "// hardware hash 0000000400000003\n"
    assert "x = 32'd3; y = 32'd4; z = 32'd12;" in equivalence.same_hash(old, new)
