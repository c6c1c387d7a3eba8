"""Tests of transforms.zero_filled_resolution."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.operators import agree_with_low_resolution, coarse_size, lower_resolution, truncate_kspace
from mri_attention.transforms import AgreeWithLowResolutiond, RandLowerResolutiond
from tests.helpers import features

VOLUME = features(2, 17, 16, 3).abs()


@pytest.mark.parametrize("shape", [(16, 16), (17, 15), (18, 10)])
@pytest.mark.parametrize("factor", [2, 4])
def test_agreement_is_exact_and_changes_nothing_else(shape: tuple[int, int], factor: int) -> None:
    truth, guess = features(2, *shape, dtype=torch.float64).abs()
    given = lower_resolution(truth, factor)
    agreed = agree_with_low_resolution(guess, given, factor)
    size = coarse_size(shape, (factor, factor))
    torch.testing.assert_close(truncate_kspace(agreed, size).abs(), truncate_kspace(truth, size).abs())
    torch.testing.assert_close(agree_with_low_resolution(agreed, given, factor), agreed)
    change = torch.fft.fft2(agreed - guess)
    reach = [n // 2 for n in size]
    assert change[reach[0] + 1 : shape[0] - reach[0]].abs().max() < 1e-9
    assert change[:, reach[1] + 1 : shape[1] - reach[1]].abs().max() < 1e-9


def test_agreement_finds_the_samples_of_an_image_that_rings_below_zero() -> None:
    """With everything but the outer samples right, the signs are, and so is all that truncation keeps."""
    truth = torch.zeros(32, 32, dtype=torch.float64)
    truth[9:23, 12:21] = 1.0
    low = truncate_kspace(truth, (16, 16))
    assert low.min() < -0.01
    agreed = agree_with_low_resolution(truth + 0.01, lower_resolution(truth, 2), 2)
    again = truncate_kspace(agreed, (16, 16))
    clear = low.abs() > 0.05
    torch.testing.assert_close(again[clear], low[clear])


def test_agreement_keeps_the_magnitude_of_noise_positive() -> None:
    noise = features(16, 16, dtype=torch.float64).abs() + 1
    agreed = agree_with_low_resolution(-0.1 * noise, lower_resolution(noise, 2), 2)
    torch.testing.assert_close(truncate_kspace(agreed, (8, 8)), truncate_kspace(noise, (8, 8)).abs())


def test_lowers_one_channel_plane_by_plane() -> None:
    out = RandLowerResolutiond("image", [2])({"image": VOLUME})["image"]
    torch.testing.assert_close(out[1], VOLUME[1])
    for k in range(3):
        torch.testing.assert_close(out[0, ..., k], lower_resolution(VOLUME[0, ..., k], 2))
    plane = RandLowerResolutiond("image", [2])({"image": VOLUME[..., 0]})["image"]
    torch.testing.assert_close(plane, out[..., 0])


def test_lowers_the_channels_that_are_named() -> None:
    both = RandLowerResolutiond("image", [2], channels=(0, 1))({"image": VOLUME})["image"]
    swapped = RandLowerResolutiond("image", [2], channels=(1,))({"image": VOLUME})["image"]
    torch.testing.assert_close(both[1], swapped[1])
    torch.testing.assert_close(swapped[0], VOLUME[0])
    assert not torch.allclose(both[0], VOLUME[0])


def test_draws_every_factor_and_repeats_with_its_seed() -> None:
    transform = RandLowerResolutiond("image", [2, 4]).set_random_state(0)
    drawn = []
    for _ in range(20):
        transform({"image": VOLUME[..., 0]})
        drawn.append(transform.factor)
    assert set(drawn) == {2, 4}
    again = RandLowerResolutiond("image", [2, 4]).set_random_state(0)
    again({"image": VOLUME[..., 0]})
    assert again.factor == drawn[0]


def test_dictionary_form_agrees_with_the_first_channel() -> None:
    image = MetaTensor(RandLowerResolutiond("image", [2])({"image": VOLUME})["image"])
    pred = MetaTensor(VOLUME[1:] * 0.5)
    out = AgreeWithLowResolutiond("pred", "image", 2)({"pred": pred, "image": image})["pred"]
    low = truncate_kspace(out.as_tensor()[0].movedim(-1, 0), (8, 8))
    expected = truncate_kspace(VOLUME[0].movedim(-1, 0), (8, 8)).abs()
    torch.testing.assert_close(low.abs(), expected, atol=1e-5, rtol=1e-5)
    off = AgreeWithLowResolutiond("pred", "image", 2, is_enabled=False)({"pred": pred, "image": image})["pred"]
    torch.testing.assert_close(off.as_tensor(), pred.as_tensor())


def test_each_channel_agrees_with_its_own_low_resolution() -> None:
    image = MetaTensor(RandLowerResolutiond("image", [2], channels=(0, 1))({"image": VOLUME})["image"])
    agreed = AgreeWithLowResolutiond("pred", "image", 2)({"pred": MetaTensor(0.5 * VOLUME), "image": image})["pred"]
    low = truncate_kspace(agreed.as_tensor().movedim(-1, 1), (8, 8))
    torch.testing.assert_close(low.abs(), truncate_kspace(VOLUME.movedim(-1, 1), (8, 8)).abs(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("factors", [[], [2, 0.5]])
def test_rejects_other_factors(factors: list[float]) -> None:
    with pytest.raises(ValueError, match="factors must not be below 1"):
        RandLowerResolutiond("image", factors)
