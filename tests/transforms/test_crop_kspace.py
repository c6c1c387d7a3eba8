"""Planes that were interpolated come back to the pixels that were acquired."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from mri_attention.operators.kspace_truncation import truncate_kspace, zero_fill_kspace
from mri_attention.transforms import CropKspace, CropKspaced, KspaceSupportd, SlicesLastd
from tests.operators.test_kspace_noise import disks
from tests.operators.test_kspace_support import zero_filled


def planes(n: int = 3) -> torch.Tensor:
    acquired = truncate_kspace(disks(), (64, 144))
    return acquired[None, :, :, None].expand(1, -1, -1, n).contiguous()


def test_what_was_interpolated_by_zeros_comes_back() -> None:
    acquired = planes()
    filled = zero_fill_kspace(acquired.movedim(-1, 1), (128, 144)).movedim(1, -1)
    affine = torch.diag(torch.tensor([0.5, 1.0, 3.0, 1.0], dtype=torch.float64))
    image = MetaTensor(filled, affine=affine)
    crop = CropKspace()
    cropped = crop(image, (0.5, 1.0))
    torch.testing.assert_close(cropped.as_tensor(), acquired, rtol=0, atol=1e-5)
    torch.testing.assert_close(cropped.affine, torch.diag(torch.tensor([1.0, 1, 3, 1], dtype=torch.float64)))
    back = crop.inverse(cropped)
    torch.testing.assert_close(back.as_tensor(), filled, rtol=0, atol=1e-5)
    torch.testing.assert_close(back.affine, affine)


def test_all_of_kspace_changes_nothing() -> None:
    image = MetaTensor(planes())
    assert torch.equal(CropKspace()(image, (1.0, 1.0)).as_tensor(), image.as_tensor())


def test_a_constant_stays_what_it_is() -> None:
    cropped = CropKspace()(MetaTensor(torch.full((2, 40, 30, 4), 3.0)), (0.7, 0.33))
    assert cropped.shape == (2, 28, 10, 4)
    torch.testing.assert_close(cropped.as_tensor(), torch.full((2, 28, 10, 4), 3.0))


def test_chain_of_the_bundle_is_undone_on_the_grid_of_the_file() -> None:
    both = zero_filled(disks(), 64).abs()[None, ..., None].expand(2, -1, -1, 5)
    image = MetaTensor(both.movedim(-1, 1).contiguous(), affine=torch.diag(torch.tensor([3.0, 0.5, 0.5, 1.0]).double()))
    chain = Compose([KspaceSupportd("image", of_volumes=True), SlicesLastd("image"), CropKspaced("image")])
    out = chain({"image": image})
    assert 64 <= out["image"].shape[1] < 85
    assert out["image"].shape[2:] == (144, 5)
    back = chain.inverse(out)["image"]
    assert back.shape == image.shape
    torch.testing.assert_close(back.affine, image.affine)
    assert (back - image).abs().mean() < 0.01 * image.mean()


@pytest.mark.parametrize("support", [(0.0, 1.0), (0.5, 1.5)])
def test_shares_beyond_kspace_are_refused(support: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="support must be above 0 and at most 1"):
        CropKspace()(MetaTensor(planes()), support)
