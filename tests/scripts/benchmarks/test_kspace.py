"""Tests of scripts.kspace_benchmark: outputs are compared before anything is timed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mri_attention.scripts.benchmarks.kspace import KspaceTimes, kspace_rows, measure_kspace
from mri_attention.scripts.benchmarks.result import Settings

Run = Callable[..., int]
CPU = torch.device("cpu")


def test_measures_every_mask_at_every_size() -> None:
    told: list[str] = []
    times = measure_kspace(Settings(CPU, [16, 21], 2, 1, None, told.append))
    assert [(row.size, row.mask) for row in times] == [
        (16, "columns"),
        (16, "radial"),
        (21, "columns"),
        (21, "radial"),
    ]
    assert all(len(row.monai) == len(row.here) == 2 for row in times)
    assert told


def test_images_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mri_attention.scripts.benchmarks.kspace.undersample_image", lambda image, *_, **__: 2 * image)
    with pytest.raises(RuntimeError, match="the images of columns at 16 differ by"):
        measure_kspace(Settings(CPU, [16], 1, 1, None, lambda _: None))


def test_rows_tell_medians_and_their_ratio() -> None:
    times = KspaceTimes(256, "columns", [0.4, 0.8, 0.2], [0.1, 0.1, 0.1])
    assert times.speedup == pytest.approx(4)
    (row,) = kspace_rows([times])
    assert [*row.values()] == ["256 x 256", "columns", "400", "100", "40", "160", "4.00 (3.00-6.00)"]


def test_command_writes_numbers_table_and_plot(run_command: Run, tmp_path: Path) -> None:
    assert run_command("benchmark", "kspace", "--output", tmp_path, "--sizes", "16", "--rounds", 1) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"kspace.json", "kspace.md", "kspace.png"}
    assert json.loads((tmp_path / "kspace.json").read_text())["times"][0]["mask"] == "columns"
    assert "16 x 16 | radial" in (tmp_path / "kspace.md").read_text()
