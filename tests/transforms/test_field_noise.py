"""Tests of transforms.field_noise."""

from __future__ import annotations

import math

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.operators import units_per_ppm
from mri_attention.transforms import RandFieldNoise
from mri_attention.transforms.field_noise import noise_level


def field() -> Tensor:
    values = torch.full((1, 30, 30, 30), 0.01)
    values[:, :5] = 0
    return values


@pytest.mark.parametrize(("snr", "echo_time"), [(20.0, 0.02), (50.0, 0.01)])
def test_standard_deviation_is_that_of_phase(snr: float, echo_time: float) -> None:
    """At high SNR the phase of a complex signal has a standard deviation of 1 / SNR."""
    noisy = RandFieldNoise((snr, snr), 3.0, echo_time).set_random_state(0)(field())
    error = (noisy - field())[:, 5:]
    assert error.std().item() == pytest.approx(noise_level(snr, 3.0, echo_time), rel=0.03)
    assert abs(error.mean()) < 4 * error.std() / error.numel() ** 0.5


def test_less_magnitude_is_more_noise() -> None:
    magnitude = torch.ones(1, 30, 30, 30)
    magnitude[..., 15:] = 0.25
    error = RandFieldNoise((50.0, 50.0)).set_random_state(0)(field(), magnitude) - field()
    assert (error[:, 5:, :, 15:].std() / error[:, 5:, :, :15].std()).item() == pytest.approx(4, rel=0.05)


def test_noise_alone_is_evenly_spread_over_a_turn() -> None:
    error = RandFieldNoise((1e-3, 1e-3)).set_random_state(0)(field()) - field()
    turn = 2 * math.pi / units_per_ppm("rad", 3.0, 0.02)
    assert error[:, 5:].std().item() == pytest.approx(turn / 12**0.5, rel=0.02)


def test_outside_of_the_head_stays_zero() -> None:
    assert not RandFieldNoise()(field())[:, :5].any()


def test_is_fixed_by_its_seed_and_draws_in_randomize_alone() -> None:
    noise = RandFieldNoise().set_random_state(1)
    first = noise(field())
    torch.testing.assert_close(noise(field(), randomize=False), first, rtol=0, atol=0)
    assert not torch.equal(noise(field()), first)
    torch.testing.assert_close(RandFieldNoise().set_random_state(1)(field()), first, rtol=0, atol=0)


def test_affine_is_kept() -> None:
    image = MetaTensor(field(), affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))
    noisy = RandFieldNoise().set_random_state(1)(image)
    torch.testing.assert_close(noisy.affine, image.affine)
    torch.testing.assert_close(noisy.as_tensor(), RandFieldNoise().set_random_state(1)(field()))


def test_may_leave_the_field_alone() -> None:
    assert torch.equal(RandFieldNoise(prob=0.0)(field()), field())


@pytest.mark.parametrize("snr", [(0.0, 10.0), (20.0, 10.0)])
def test_rejects_impossible_ratios(snr: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="snr must be a range of positive numbers"):
        RandFieldNoise(snr)


def test_rejects_no_field_strength() -> None:
    with pytest.raises(ValueError, match="rad needs a positive b0, got 0"):
        RandFieldNoise(b0=0.0)
