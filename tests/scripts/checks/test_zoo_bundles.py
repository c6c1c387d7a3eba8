"""Tests of scripts.checks on bundles written as those of MONAI's model zoo: nothing that MONAI takes is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mri_attention.scripts.checks.all_checks import check_bundle

from .zoo_bundles import BUNDLES, write_zoo_bundle


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle_of_the_zoo_is_not_refused(name: str, tmp_path: Path) -> None:
    outcomes = dict(check_bundle(write_zoo_bundle(name, tmp_path / name), trust=True))
    assert {check: outcome for check, outcome in outcomes.items() if outcome.status == "FAIL"} == {}


def test_what_the_zoo_has_elsewhere_is_told(tmp_path: Path) -> None:
    outcomes = dict(check_bundle(write_zoo_bundle("spleen", tmp_path / "spleen"), trust=True))
    assert "large file" in outcomes["weights"].reason
    assert "torch_tensorrt" in outcomes["configs"].reason
    assert "/workspace/data/Task00" in outcomes["paths"].reason
    assert "optional_packages_version is called required_packages_version now" in outcomes["metadata"].reason
    assert outcomes["TorchScript"].status == "PASS"


def test_crash_of_the_config_that_monai_takes_is_still_found(tmp_path: Path) -> None:
    folder = write_zoo_bundle("spleen", tmp_path / "spleen")
    text = (folder / "configs" / "train.json").read_text()
    (folder / "configs" / "train.json").write_text(text.replace("@train#inferer", "@train#no_inferer"))
    outcomes = dict(check_bundle(folder, trust=True))
    assert outcomes["configs"].status == "FAIL"
    assert "@train::no_inferer is not there" in outcomes["configs"].reason
