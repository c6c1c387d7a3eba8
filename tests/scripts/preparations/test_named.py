"""Tests of datasets.prepare_kirby21 and datasets.prepare_brats, on small files in the layouts of the two."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError, find_cases, read_volume
from mri_attention.scripts.preparations.brats import prepare_brats
from mri_attention.scripts.preparations.kirby21 import prepare_kirby21


def write(path: Path, value: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = value * np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    nib.save(nib.Nifti1Image(image, np.diag([-1.0, 1.0, 1.2, 1.0])), path)
    return path


def test_kirby21_becomes_one_subject_per_scan(tmp_path: Path) -> None:
    for number in ("02", "01"):
        write(tmp_path / "in" / f"KKI2009-{number}" / f"KKI2009-{number}-MPRAGE.nii", float(number))
    write(tmp_path / "in" / "KKI2009-01" / "KKI2009-01-FLAIR.nii")
    told: list[tuple[int, int]] = []
    names = prepare_kirby21(tmp_path / "in", tmp_path / "out", lambda *n: told.append(n))
    assert names == ["sub-KKI01", "sub-KKI02"]
    assert told == [(0, 2), (1, 2), (2, 2)]
    for number, case in enumerate(find_cases(tmp_path / "out", ("T1w",)), 1):
        image = read_volume(case["image"][0])
        assert image.max() == 23 * number
        np.testing.assert_allclose(np.diag(image.affine), [-1, 1, 1.2, 1])
    assert json.loads((tmp_path / "out" / "dataset_description.json").read_text())["DatasetType"] == "raw"


@pytest.mark.parametrize(
    ("case", "joint", "contrasts", "subject"),
    [
        ("BraTS19_CBICA_AAB_1", "_", ("t1", "t1ce", "t2", "flair"), "sub-BraTS19CBICAAAB1"),
        ("BraTS2021_00000", "_", ("t1", "t1ce", "t2", "flair"), "sub-BraTS202100000"),
        ("BraTS-GLI-00000-000", "-", ("t1n", "t1c", "t2w", "t2f"), "sub-BraTSGLI00000000"),
    ],
)
def test_brats_of_any_year_becomes_bids(
    case: str, joint: str, contrasts: tuple[str, ...], subject: str, tmp_path: Path
) -> None:
    for value, contrast in enumerate((*contrasts, "seg"), 1):
        write(tmp_path / "in" / case / f"{case}{joint}{contrast}.nii.gz", value)
    assert prepare_brats(tmp_path / "in", tmp_path / "out") == [subject]
    suffixes = ("T1w", "ce-gadolinium_T1w", "T2w", "FLAIR")
    (found,) = find_cases(tmp_path / "out", suffixes)
    assert [float(read_volume(path).max()) for path in found["image"]] == [23, 46, 69, 92]
    assert len(list((tmp_path / "out" / subject / "anat").iterdir())) == len(suffixes)


def test_what_cannot_be_used_has_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="no such folder"):
        prepare_kirby21(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(InputError, match="no subject with T1w"):
        prepare_brats(tmp_path, tmp_path / "out")
    write(tmp_path / "BraTS2021_1_t1.nii.gz")
    write(tmp_path / "BraTS2021_2_t2.nii.gz")
    with caplog.at_level(logging.WARNING):
        assert prepare_brats(tmp_path, tmp_path / "out") == ["sub-BraTS20211"]
    assert "left out for want of T1w: sub-BraTS20212" in caplog.text
    write(tmp_path / "again" / "BraTS2021_1_t1.nii.gz")
    with pytest.raises(InputError, match="a second T1w of sub-BraTS20211"):
        prepare_brats(tmp_path, tmp_path / "other")
