"""Tests of every bundle that is in the repository."""

from pathlib import Path

import pytest

from mri_attention.scripts.checks.all_checks import READING, check_bundle
from mri_attention.scripts.running.bundles import BUNDLES

FOLDERS = sorted(file.parents[1] for file in BUNDLES.glob("*/configs/metadata.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
@pytest.mark.parametrize("name", READING)
def test_files_and_configs_are_sound(name: str, folder: Path) -> None:
    outcome = READING[name](folder)
    assert outcome.status != "FAIL", outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_passes_every_check(folder: Path) -> None:
    assert {name: o.reason for name, o in check_bundle(folder, trust=False) if o.status == "FAIL"} == {}
