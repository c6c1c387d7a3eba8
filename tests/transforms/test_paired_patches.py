"""Tests of patches of two resolutions, of intensity ranges and of foreground masks."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from torch.nn import functional as F  # noqa: N812

from mri_attention.transforms import (
    ForegroundMaskFromImaged,
    RandPairedPatchesd,
    RestoreIntensityRanged,
    ScaleToUnitRanged,
)
from tests.helpers import features


def pair(scale: int) -> dict[str, torch.Tensor]:
    """A coarse image with one bright corner, and its fine copy, voxels repeated."""
    coarse = torch.arange(1.0, 7 * 8 * 9 + 1).view(1, 7, 8, 9) / 1e4
    coarse[:, 4:, 5:, 6:] += 1
    return {"image": coarse, "label": F.interpolate(coarse[None], scale_factor=scale)[0], "subject": "sub-1"}


@pytest.mark.parametrize("scale", [2, 3])
def test_patches_show_the_same_place(scale: int) -> None:
    crop = RandPairedPatchesd(size=4, scale=scale, n_patches=5, threshold=0.5).set_random_state(0)
    items = crop(pair(scale))
    assert len(items) == 5
    for item in items:
        assert item["image"].shape == (1, 4, 4, 4)
        torch.testing.assert_close(item["label"], F.interpolate(item["image"][None], scale_factor=scale)[0])
        assert (item["image"] > 0.5).any()
        assert item["subject"] == "sub-1"
    assert len({float(item["image"].sum()) for item in items}) > 1


def test_small_images_are_filled_up_and_told(caplog: pytest.LogCaptureFixture) -> None:
    RandPairedPatchesd(size=7, scale=2)(pair(2))
    assert not caplog.text
    (item,) = RandPairedPatchesd(size=(10, 4, 12), scale=2)(pair(2))
    assert "of 7 x 8 x 9 voxels, it is filled up to patches of 10 x 4 x 12" in caplog.text
    assert item["image"].shape == (1, 10, 4, 12)
    torch.testing.assert_close(item["label"], F.interpolate(item["image"][None], scale_factor=2)[0])
    assert (item["image"][:, 7:] == item["image"][:, 6:7]).all()


def test_patches_of_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size and n_patches must be at least 1"):
        RandPairedPatchesd(size=0)
    with pytest.raises(ValueError, match="are not \\(3, 3, 3\\) apart"):
        RandPairedPatchesd(size=4, scale=3)(pair(2))


def test_intensities_come_back() -> None:
    image = MetaTensor(700 * features(1, 4, 5, 6) - 3)
    scaled = ScaleToUnitRanged("image")({"image": image})["image"]
    assert (float(scaled.min()), float(scaled.max())) == pytest.approx((0, 1))
    finer = scaled.as_tensor().repeat(1, 2, 2, 2)
    restored = RestoreIntensityRanged("pred", "image")({"pred": finer, "image": scaled})["pred"]
    torch.testing.assert_close(restored, image.as_tensor().repeat(1, 2, 2, 2), rtol=1e-5, atol=1e-3)


def test_constant_images_come_back_and_unscaled_ones_are_refused() -> None:
    image = MetaTensor(torch.full((1, 2, 2, 2), 5.0))
    scaled = ScaleToUnitRanged("image")({"image": image})
    assert not scaled["image"].any()
    assert (RestoreIntensityRanged("image")(scaled)["image"] == 5).all()
    with pytest.raises(ValueError, match="image was not scaled"):
        RestoreIntensityRanged("image")({"image": image})


def test_foreground_is_what_is_not_dark() -> None:
    image = MetaTensor(0.002 * features(1, 12, 12, 12).abs())
    image[:, 3:9, 2:7, 4:] = 0.5
    image[:, 3:5, 2:7, 4:] = 0.15
    mask = ForegroundMaskFromImaged("label")({"label": image})["brain"]
    torch.testing.assert_close(mask.as_tensor(), (image.as_tensor() > 0.1).float())


def test_the_mask_of_the_case_comes_first() -> None:
    own = torch.zeros(1, 5, 4, 4, dtype=torch.uint8)
    own[:, 1:3] = 1
    found = ForegroundMaskFromImaged("label")({"label": MetaTensor(torch.rand(1, 4, 4, 4)), "mask": own})["brain"]
    torch.testing.assert_close(found.as_tensor(), own[:, :4].float())
