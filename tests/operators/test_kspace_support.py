"""How far k-space was measured."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor

from mri_attention.operators import image_to_kspace, kspace_support, kspace_to_image

from .test_kspace_noise import disks, noise

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HEADS = {
    "multicontrast_2d/sub-12/ses-2/anat/sub-12_ses-2_T2w.nii.gz": ((0.9, 1.0), (0.65, 0.8)),
    "multicontrast_2d/sub-04/ses-1/anat/sub-04_ses-1_T2w.nii.gz": ((0.9, 1.0), (0.65, 0.8)),
    "multicontrast/sub-fg6692/anat/sub-fg6692_T2w.nii.gz": ((1.0, 1.0), (1.0, 1.0)),
    "ms_lesions/sub-07/anat/sub-07_T2w.nii.gz": ((1.0, 1.0), (1.0, 1.0)),
}


def zero_filled(image: Tensor, rows: int) -> Tensor:
    """Return the image of k-space that was measured in the middle ``rows`` alone."""
    kspace = image_to_kspace(image)
    n = image.shape[-2]
    start = n // 2 - rows // 2
    kept = torch.zeros_like(kspace)
    kept[..., start : start + rows, :] = kspace[..., start : start + rows, :]
    return kspace_to_image(kept)


def test_sharp_borders_fill_k_space() -> None:
    assert kspace_support(image_to_kspace(disks())) == (1, 1)


@pytest.mark.parametrize("rows", [64, 90])
def test_zeros_are_found(rows: int) -> None:
    y, x = kspace_support(image_to_kspace(zero_filled(disks(), rows)))
    assert y == pytest.approx(rows / 128, abs=1.5 / 32)
    assert x == 1


def test_zeros_are_found_behind_a_magnitude() -> None:
    """Which has a trace of sharp borders beyond."""
    y, x = kspace_support(image_to_kspace(zero_filled(disks(), 64).abs()))
    assert 0.5 <= y < 0.65
    assert x == 1


def test_noise_is_never_empty() -> None:
    image = zero_filled(disks(), 64)
    assert kspace_support(image_to_kspace(image + noise(*image.shape, sigma=0.05))) == (1, 1)


@pytest.mark.parametrize("kspace", [torch.zeros(1, 96, 96) + 0j, torch.ones(1, 20, 16) + 0j], ids=["zeros", "small"])
def test_what_cannot_be_told_is_full(kspace: Tensor) -> None:
    assert kspace_support(kspace) == (1, 1)


@pytest.mark.parametrize("file", HEADS)
def test_real_heads(file: str) -> None:
    if not (DATA / file).is_file():
        pytest.skip("no shared data")
    image = torch.from_numpy(np.asarray(nib.load(DATA / file).dataobj[:, :, 10:-10:4], np.float32)).permute(2, 1, 0)
    for share, (low, high) in zip(kspace_support(image_to_kspace(image)), HEADS[file], strict=True):
        assert low <= share <= high
