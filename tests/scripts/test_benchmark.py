"""Tests of the command benchmark: what it writes, and its ratios."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mri_attention.scripts.benchmarks.attention import check_equal_forms, fits, measure_attention
from mri_attention.scripts.benchmarks.attention_cases import attention_cases, cross_scale_cases
from mri_attention.scripts.benchmarks.attention_table import cost_rows
from mri_attention.scripts.benchmarks.result import Settings

Run = Callable[..., int]
CPU = torch.device("cpu")


def test_every_block_keeps_the_shape() -> None:
    x = torch.randn(1, 16, 4, 4, 4)
    for case in attention_cases():
        assert case.build(16)(x).shape == x.shape, case.name


def test_forms_of_one_block_agree() -> None:
    check_equal_forms(CPU, attention_cases())


def test_forms_of_cross_scale_attention_agree() -> None:
    check_equal_forms(CPU, cross_scale_cases())


def test_cross_scale_blocks_double_the_size() -> None:
    x = torch.randn(1, 16, 4, 4, 4)
    for case in cross_scale_cases():
        assert case.build(16)(x).shape == (1, 16, 8, 8, 8), case.name


def test_forms_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    literal = next(case for case in attention_cases() if case.name == "folded (literal)")
    monkeypatch.setattr(type(literal.build(4)), "_forward", lambda self, x: 2 * x)
    with pytest.raises(RuntimeError, match=r"folded \(literal\) and folded differ by"):
        check_equal_forms(CPU, attention_cases())


def test_quadratic_blocks_are_left_out_where_they_do_not_fit() -> None:
    assert fits(8, CPU)
    assert not fits(200, CPU)
    assert fits(200, CPU, 0.0)


@pytest.mark.slow
def test_measures_all_blocks_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.scripts.benchmarks.attention.peak_apart", lambda *_: 2**20)
    told: list[str] = []
    costs, left_out = measure_attention(Settings(CPU, [4, 6], 2, 8, None, told.append), attention_cases())
    table = cost_rows([cost for cost in costs if cost.size == 6], "folded")
    assert [row["block"] for row in table] == [case.name for case in attention_cases()]
    assert table[0]["forward, of folded's"] == "1.00 (1.00-1.00)"
    assert costs[0].size == 4
    assert not left_out
    assert told


def test_blocks_that_do_not_fit_are_told(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.scripts.benchmarks.attention.peak_apart", lambda *_: 2**20)
    monkeypatch.setattr("mri_attention.scripts.benchmarks.attention.fits", lambda size, device, share: not share)
    arguments = ["--sizes", "4", "--rounds", 1, "--channels", 4, "--output", tmp_path, "--blocks", "self (literal)"]
    assert run_command("benchmark", "attention", *arguments) == 0
    assert "Did not fit: self (literal) at 4^3." in (tmp_path / "attention.md").read_text()


@pytest.mark.slow
def test_command_writes_numbers_table_and_plot(run_command: Run, tmp_path: Path) -> None:
    """Peaks come from fresh processes."""
    arguments = ["--sizes", "4", "--rounds", 1, "--channels", 4, "--blocks", "folded (literal)"]
    assert run_command("benchmark", "attention", "--output", tmp_path, *arguments) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"attention.json", "attention.md", "attention.png"}
    costs = json.loads((tmp_path / "attention.json").read_text())["costs"]
    assert [cost["block"] for cost in costs] == ["folded", "folded (literal)"]


def test_cross_scale_command_compares_forms(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.scripts.benchmarks.attention.peak_apart", lambda *_: 2**20)
    arguments = ["--sizes", "4", "--rounds", 1, "--channels", 4, "--output", tmp_path]
    assert run_command("benchmark", "cross-scale", *arguments) == 0
    assert {file.name for file in tmp_path.iterdir()} == {f"cross-scale.{kind}" for kind in ("json", "md", "png")}
    costs = json.loads((tmp_path / "cross-scale.json").read_text())["costs"]
    assert [cost["block"] for cost in costs] == [case.name for case in cross_scale_cases()]
    assert "forward, of cross-scale's" in (tmp_path / "cross-scale.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no such benchmark"),
        (["attention", "--sizes", "a"], "not whole numbers"),
        (["attention", "--sizes", "1"], "smaller than 2"),
        (["attention", "--device", "tpu"], "no such device"),
        (["attention", "--blocks", "folded,other"], "no such block"),
    ],
)
def test_bad_arguments_have_one_line(
    arguments: list[str], message: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("benchmark", *arguments, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
