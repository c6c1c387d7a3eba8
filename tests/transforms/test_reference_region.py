"""Tests of transforms.reference_region."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError
from mri_attention.transforms import ReferToRegiond
from mri_attention.transforms.reference_region import REFERENCE

SHAPE = (6, 5, 4)


def case() -> dict[str, MetaTensor]:
    values = torch.arange(120.0).reshape(1, *SHAPE)
    mask = torch.ones(1, *SHAPE)
    mask[:, 0] = 0
    return {"pred": MetaTensor(values * mask, affine=torch.eye(4)), "brain": MetaTensor(mask, affine=torch.eye(4))}


def region(path: Path, place: int) -> Path:
    data = np.zeros(SHAPE, np.uint8)
    data[place] = 1
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def test_the_mean_of_the_region_becomes_zero(tmp_path: Path) -> None:
    found = ReferToRegiond("pred", region(tmp_path / "csf.nii.gz", 3))(case())
    assert float(found["pred"][0, 3].mean()) == pytest.approx(0, abs=1e-5)
    assert not found["pred"][0, 0].any()
    assert found[REFERENCE] == "mean over csf.nii.gz within the mask is 0"


def test_without_a_region_maps_pass() -> None:
    before = case()
    assert ReferToRegiond("pred")(before)["pred"] is before["pred"]


def test_what_is_no_mask_is_refused_at_once(tmp_path: Path) -> None:
    nib.save(
        nib.Nifti1Image(np.linspace(0, 1, 120, dtype=np.float32).reshape(SHAPE), np.eye(4)), tmp_path / "t1.nii.gz"
    )
    with pytest.raises(InputError, match=r"t1.nii.gz: has 120 values .* as an image has; give a mask that is 1 within"):
        ReferToRegiond("pred", tmp_path / "t1.nii.gz")
    with pytest.raises(InputError, match="no such file"):
        ReferToRegiond("pred", tmp_path / "none.nii.gz")


def test_a_region_that_has_lost_its_header_is_refused(tmp_path: Path) -> None:
    data = np.zeros(SHAPE, np.uint8)
    data[3] = 1
    moved = np.eye(4)
    moved[0, 3] = 2
    nib.save(nib.Nifti1Image(data, moved), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="affines that differ by 2"):
        ReferToRegiond("pred", tmp_path / "a.nii.gz")(case())


def test_a_region_outside_of_the_brain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"csf.nii.gz: no voxel of the region lies within"):
        ReferToRegiond("pred", region(tmp_path / "csf.nii.gz", 0))(case())
