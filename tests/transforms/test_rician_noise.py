"""Tests of transforms.rician_noise."""

from __future__ import annotations

import math

import pytest
import torch
from monai.data import MetaTensor
from scipy import stats
from torch import Tensor

from mri_attention.operators import image_to_kspace, kspace_to_image
from mri_attention.transforms import RicianNoise, RicianNoised


def half_air() -> Tensor:
    """2 in one half, 0 in the other, so that the mean is 1."""
    image = torch.zeros(1, 200, 200, dtype=torch.complex64)
    image[:, :100] = 2j
    return image


def test_magnitude_in_air_is_rayleigh() -> None:
    air = RicianNoise(0.1).set_random_state(0)(half_air())[:, 100:].abs().double().flatten()
    assert air.mean().item() == pytest.approx(0.1 * math.sqrt(math.pi / 2), rel=0.02)
    assert stats.kstest(air.numpy(), stats.rayleigh(scale=0.1).cdf).pvalue > 0.01


@pytest.mark.parametrize("level", [0.1, 1.0, 3.0])
def test_magnitude_of_signal_is_rician(level: float) -> None:
    signal = RicianNoise(level).set_random_state(0)(half_air())[:, :100].abs().double().flatten()
    rice = stats.rice(2 / level, scale=level)
    assert signal.mean().item() == pytest.approx(rice.mean(), rel=0.02)
    assert stats.kstest(signal.numpy(), rice.cdf).pvalue > 0.01


def test_noise_of_kspace_is_as_strong_as_that_of_the_image() -> None:
    image = half_air()
    noise = RicianNoise(0.1, "kspace").set_random_state(0)(image_to_kspace(image)) - image_to_kspace(image)
    for part in (noise, kspace_to_image(noise)):
        assert part.real.std().item() == pytest.approx(0.1, rel=0.02)
        assert part.imag.std().item() == pytest.approx(0.1, rel=0.02)


def test_noise_is_white() -> None:
    image = half_air()
    kspace = image_to_kspace(RicianNoise(0.1).set_random_state(0)(image) - image).abs().square()[0]
    inner, total = kspace[50:150, 50:150].mean(), kspace.mean()
    assert (inner / total).item() == pytest.approx(1, rel=0.05)


def test_magnitude_images_become_complex() -> None:
    out = RicianNoise(0.1)(torch.ones(1, 4, 4))
    assert out.dtype == torch.complex64
    assert RicianNoise(0.1)(torch.ones(1, 4, 4, dtype=torch.float64)).dtype == torch.complex128
    assert torch.equal(RicianNoise(0.0)(half_air()), half_air())


def test_dictionary_version_tells_the_noise_of_each_slice() -> None:
    image = half_air()[:, None].expand(1, 3, 200, 200)
    out = RicianNoised("image", noise_key="noise", level=(0.0, 0.2)).set_random_state(0)({"image": image})
    assert out["noise"].shape == (1, 3, 1, 1)
    added = out["image"] - image
    assert added.real.std().item() == pytest.approx(out["noise"][0, 0].item(), rel=0.02)
    assert "noise" not in RicianNoised("a", noise_key="noise", allow_missing_keys=True)({})


def test_level_is_drawn_from_a_range() -> None:
    noise = RicianNoise((0.05, 0.2)).set_random_state(0)
    levels = [(noise(half_air()) - half_air()).real.std().item() for _ in range(8)]
    assert all(0.045 < level < 0.21 for level in levels)
    assert max(levels) > 1.5 * min(levels)


def test_is_fixed_by_its_seed_and_draws_in_randomize_alone() -> None:
    noise = RicianNoise((0.05, 0.2)).set_random_state(1)
    first = noise(half_air())
    assert torch.equal(noise(half_air(), randomize=False), first)
    assert not torch.equal(noise(half_air()), first)
    assert torch.equal(RicianNoise((0.05, 0.2)).set_random_state(1)(half_air()), first)


def test_affine_is_kept() -> None:
    image = MetaTensor(half_air()[..., None], affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))
    torch.testing.assert_close(RicianNoise()(image).affine, image.affine)


def test_dictionary_version_draws_for_every_key() -> None:
    out = RicianNoised(["a", "b"], level=0.1).set_random_state(2)({"a": half_air(), "b": half_air()})
    assert not torch.equal(out["a"], out["b"])
    again = RicianNoised(["a", "b"], level=0.1).set_random_state(2)({"a": half_air(), "b": half_air()})
    assert torch.equal(again["b"], out["b"])


@pytest.mark.parametrize("level", [-0.1, (0.2, 0.1)])
def test_rejects_impossible_levels(level: float | tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="level must be a number or range of numbers from 0 on"):
        RicianNoise(level)


def test_rejects_real_kspace() -> None:
    with pytest.raises(ValueError, match="k-space must be complex"):
        RicianNoise(0.1, "kspace")(torch.ones(1, 4, 4))
