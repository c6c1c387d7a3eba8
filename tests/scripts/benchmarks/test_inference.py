"""Tests of the benchmark ``inference``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monai.inferers import SimpleInferer

from mri_attention.scripts.benchmarks.inference import HERE, MONAI, Again, CaseTimes, Rounds, inference_rows
from mri_attention.simulation.cohort import simulate_dataset

Run = Callable[..., int]

COST = CaseTimes(
    "bundle",
    "sub-01",
    (64, 80, 64),
    True,
    {MONAI: [4.0, 8.0, 6.0], HERE: [1.0, 2.0, 2.0]},
    {MONAI: {"dice": 0.7}, HERE: {"dice": 0.71}},
)


def test_rows_compare_round_by_round() -> None:
    (row,) = inference_rows([COST])
    assert row["of MONAI's"] == "0.25 (0.25-0.29)"
    assert row["here (s)"] == "2.00 (1.00-2.00)"
    assert row["precision here"] == "bfloat16"
    assert (row["dice, MONAI's default"], row["dice, here"]) == ("0.7000", "0.7100")


def test_inferers_take_turns_and_are_not_run_again() -> None:
    asked: list[str] = []

    def network(name: str) -> Callable[..., torch.Tensor]:
        return lambda inputs, network: (asked.append(name), inputs + len(name))[1]

    rounds = Rounds({"a": network("a"), "bb": network("bb")}, 2, "bb")  # type: ignore[dict-item]
    x = torch.zeros(1, 1, 4, 4, 4)
    assert torch.equal(rounds(x, SimpleInferer()), x + 2)
    assert asked == ["a", "bb"] * 3
    assert {name: len(times) for name, times in rounds.times[0].items()} == {"a": 2, "bb": 2}
    assert torch.equal(Again([outputs["a"] for outputs in rounds.outputs])(x, None), x + 1)  # type: ignore[arg-type]


def test_needs_cases(run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("benchmark", "inference", "--output", str(tmp_path / "out")) == 2
    assert "give a BIDS folder or datalist as --dataset-dir" in capsys.readouterr().err


def test_a_bundle_without_windows_is_refused(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (
        "--blocks",
        "brain_super_resolution_cftn",
        "--dataset-dir",
        str(tmp_path),
        "--output",
        str(tmp_path / "out"),
    )
    assert run_command("benchmark", "inference", *options) == 2
    assert "a bundle without windows" in capsys.readouterr().err


@pytest.mark.slow
def test_measures_a_case(run_command: Run, tmp_path: Path) -> None:
    simulate_dataset(tmp_path / "data", n_subjects=1, seed=1, spacing=3.0)
    options = ("--rounds", "1", "--dataset-dir", str(tmp_path / "data"), "--output", str(tmp_path / "out"))
    assert run_command("benchmark", "inference", *options) == 0
    assert "| sub-001" in (tmp_path / "out" / "inference.md").read_text()
