"""Tests of scripts.running.case_files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import Case, InputError
from mri_attention.scripts.running.case_files import check_case


def save(path: Path, shape: tuple[int, ...]) -> str:
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random(shape).astype(np.float32), np.eye(4)), path)
    return str(path)


@pytest.mark.parametrize("shape", [(20, 16), (20, 16, 1)])
def test_slice_is_a_guide_of_k_space_and_no_image(tmp_path: Path, shape: tuple[int, ...]) -> None:
    slice_file = save(tmp_path / "T1w.nii.gz", shape)
    case = Case("sub-01", image=[slice_file], kspace="raw.h5", reference=slice_file)
    assert check_case(case, ["T1w"], None, False).image == [slice_file]
    with pytest.raises(InputError, match="2D image"):
        check_case(Case("sub-01", image=[slice_file]), ["T1w"], None, False)


def test_reference_that_is_no_image_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "slice.nii.gz").write_text("no image")
    guide = save(tmp_path / "T1w.nii.gz", (20, 16, 3))
    case = Case("sub-01", image=[guide], kspace="raw.h5", reference=str(tmp_path / "slice.nii.gz"))
    with pytest.raises(InputError, match=r"slice\.nii\.gz: cannot be read as an image"):
        check_case(case, ["T1w"], None, False)
