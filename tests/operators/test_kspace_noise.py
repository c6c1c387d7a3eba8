"""The noise of k-space, estimated where it is known."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor

from mri_attention.operators import estimate_kspace_noise, image_to_kspace
from mri_attention.operators.kspace_noise import strongest_kspace_noise
from mri_attention.transforms.masks import mask_by_name

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REAL = {
    "brain, 1 mm": DATA / "ms_lesions" / "sub-07" / "anat" / "sub-07_T2w.nii.gz",
    "filled with zeros": DATA / "multicontrast_2d" / "sub-04" / "ses-1" / "anat" / "sub-04_ses-1_T2w.nii.gz",
}


def noise(*shape: int, sigma: float = 0.3, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.complex(*(sigma * torch.randn(2, *shape, generator=generator)))


def disks(height: int = 128, width: int = 144) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    image = ((x / 0.7) ** 2 + (y / 0.8) ** 2 < 1).float()
    return image + 0.5 * ((x - 0.2) ** 2 + y**2 < 0.03) - 0.7 * ((x + 0.3) ** 2 + (y - 0.1) ** 2 < 0.02)


def test_white_noise_alone() -> None:
    assert float(estimate_kspace_noise(noise(4, 64, 48))) == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("name", ["random", "uniform", "radial", "spiral", "gaussian", "poisson"])
@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_noise_under_an_object(name: str, sigma: float) -> None:
    """Of a SNR of 20 and 5; columns have few samples far out along x, and see more of the object."""
    kspace = image_to_kspace(disks().expand(4, 128, 144)) + noise(4, 128, 144, sigma=sigma)
    mask = mask_by_name(name, 4).set_random_state(0)((1, 128, 144))
    assert float(estimate_kspace_noise(kspace * mask, mask)) == pytest.approx(sigma, rel=0.3)


def test_an_object_without_noise_is_taken_for_little() -> None:
    kspace = image_to_kspace(disks())
    assert float(estimate_kspace_noise(kspace)) < 0.03


def test_zeros_that_were_filled_in_do_not_count() -> None:
    kspace = noise(3, 96, 80) * 100
    kspace[:, :12], kspace[..., -8:] = 0, 1e-6  # rounding errors
    assert float(estimate_kspace_noise(kspace, torch.ones(1, 1, 1))) == pytest.approx(30, rel=0.03)


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1000.0, 1e20])
def test_follows_units(unit: float) -> None:
    kspace = noise(2, 40, 40) + image_to_kspace(disks(40, 40))
    for estimate in (estimate_kspace_noise, partial(strongest_kspace_noise, mask=torch.ones(1))):
        found, expected = estimate(unit * kspace) / unit, estimate(kspace)
        torch.testing.assert_close(found, expected)
        assert expected > 0


def test_noise_is_not_stronger_than_the_strongest() -> None:
    ones = torch.ones(1)
    assert float(strongest_kspace_noise(noise(4, 64, 48), ones)) == pytest.approx(0.3, rel=0.03)
    assert strongest_kspace_noise(image_to_kspace(disks()) + noise(128, 144), ones) > 0.3
    kspace = noise(4, 64, 48)
    kspace[:, ::2] = 0  # filled in
    assert float(strongest_kspace_noise(kspace, ones)) == pytest.approx(0.3, rel=0.03)
    assert strongest_kspace_noise(kspace, torch.zeros(1)) == float("inf")


@pytest.mark.parametrize("kspace", [torch.zeros(1, 32, 32) + 0j, torch.ones(1, 2, 2) + 0j], ids=["zeros", "few"])
def test_no_samples_have_no_noise(kspace: Tensor) -> None:
    assert estimate_kspace_noise(kspace) == 0


@pytest.mark.parametrize("name", REAL)
def test_noise_that_is_added_to_a_real_head_is_found(name: str) -> None:
    """Within half of it: what the scan has itself is there too, and cannot be told apart."""
    if not REAL[name].is_file():
        pytest.skip("no shared data")
    image = torch.from_numpy(np.asarray(nib.load(REAL[name]).dataobj[:, :, 20:-20:8], np.float32)).permute(2, 1, 0)
    sigma = 0.2 * float(image.mean())
    found = float(estimate_kspace_noise(image_to_kspace(image + noise(*image.shape, sigma=sigma))))
    own = float(estimate_kspace_noise(image_to_kspace(image + 0j)))
    assert 0.7 * sigma < found < 1.2 * (sigma**2 + own**2) ** 0.5
