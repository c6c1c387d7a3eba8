"""Tests of operators.dipole_inversion.noise_weighting."""

from __future__ import annotations

import math

import pytest
import torch

from mri_attention.operators.dipole_inversion import weight_for_noise, weight_of_data

SIZE = (1.0, 1.0, 1.0)


def test_more_noise_and_larger_voxels_want_more_weight() -> None:
    weights = weight_for_noise(torch.tensor([0.001, 0.003]), torch.tensor([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]))
    assert weights.shape == (2,)
    assert weights[1] > 2 * weights[0]
    assert weight_for_noise(0.001, (1.0, 1.0, 3.0)) > 3 ** (1 / 3) * weight_for_noise(0.001, SIZE)
    torch.testing.assert_close(weights[:1], weight_for_noise(0.001, SIZE), rtol=1e-6, atol=0)


def test_a_map_counts_by_its_low_noise_within_the_mask() -> None:
    noise, mask = torch.full((1, 1, 4, 4, 4), 0.004), torch.ones(1, 1, 4, 4, 4)
    noise[..., :2] = 0.001
    mask[..., 0, :, :] = 0
    noise[..., 0, :, :] = 1e-6
    assert torch.equal(weight_for_noise(noise, SIZE, mask), weight_for_noise(0.001, SIZE))


def test_data_weights_fall_with_the_noise_and_are_zero_where_it_is_not_known() -> None:
    noise = torch.full((1, 1, 4, 4, 4), 0.001)
    noise[..., 0, 0, :4] = torch.tensor([0.004, math.nan, math.inf, 0.0])
    noise[..., 1, 1, 1] = 1e-9
    mask = torch.ones_like(noise)
    mask[..., 3, :, :] = 0
    weights = weight_of_data(noise, mask)
    torch.testing.assert_close(weights[..., 0, 0, :4].flatten(), torch.tensor([0.25, 0, 0, 0]))
    assert weights[..., 1, 1, 1] == 1
    assert not weights[mask == 0].any()
    assert weight_of_data(noise).max() == 1


def test_rejects_noise_that_is_none() -> None:
    with pytest.raises(ValueError, match="noise must not be negative, got"):
        weight_for_noise(-0.001, SIZE)
    with pytest.raises(ValueError, match="noise must not be negative, got"):
        weight_for_noise(math.nan, SIZE)
    with pytest.raises(ValueError, match="noise must be positive somewhere in the mask"):
        weight_for_noise(torch.zeros(1, 1, 2, 2, 2), SIZE)
