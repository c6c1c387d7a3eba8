"""Tests of the command that makes the paper's tables."""

import csv
import json
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.cli import main
from mri_attention.scripts.conditions import parse_conditions
from mri_attention.simulation.cohort import simulate_dataset


def test_sets_are_the_papers_conditions() -> None:
    assert len(parse_conditions("ixi")) == 8
    assert [str(c) for c in parse_conditions("fastmri")] == ["random-4", "random-8", "equispaced-4", "equispaced-8"]
    assert [str(c) for c in parse_conditions("radial-6,random-4,radial-6")] == ["radial-6", "random-4"]


@pytest.mark.parametrize("text", ["radial", "radial-x", "cartesian-4", "radial-0.5", ""])
def test_unknown_conditions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="no such condition; write ixi, fastmri or"):
        parse_conditions(text)


def test_tables_and_pictures_of_two_networks(tmp_path: Path) -> None:
    simulate_dataset(tmp_path / "data", n_subjects=2, seed=1, spacing=6.0)
    networks = "networks/zero_filled,networks/compressed_sensing"
    options = ["--condition", "random-3,radial-4", "--network", networks, "--output-dir", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as done:
        main(["conditions", "guided_reconstruction_manet", "--dataset-dir", str(tmp_path / "data"), *options])
    assert done.value.code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"conditions.csv", "conditions.md", "conditions.json", "random-3.png", "radial-4.png"}
    rows = list(csv.DictReader((tmp_path / "out" / "conditions.csv").open()))
    assert len(rows) == 2 * 2 * 2
    found = json.loads((tmp_path / "out" / "conditions.json").read_text())["conditions"]
    values = [float(r["psnr"]) for r in rows if (r["mask"], r["network"]) == ("random", "compressed_sensing")]
    assert found["random-3"]["compressed_sensing"]["psnr"]["mean"] == pytest.approx(sum(values) / 2, rel=1e-4)
    assert found["random-3"]["compressed_sensing"]["psnr"]["n"] == 2
    assert "| compressed_sensing |" in (tmp_path / "out" / "conditions.md").read_text()
