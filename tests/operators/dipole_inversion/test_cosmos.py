"""Tests of transforms.cosmos."""

from __future__ import annotations

import pytest
import torch

from mri_attention.operators import DipoleConvolution
from mri_attention.operators.dipole_inversion import cosmos

DIRECTIONS = [(0.0, 0.0, 1.0), (0.5, 0.0, 0.8), (0.0, -0.6, 0.8), (0.4, 0.4, 0.7)]


def test_recovers_any_map_but_its_mean() -> None:
    chi = torch.randn(2, 1, 7, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    voxel_size = (1.0, 1.0, 2.0)
    fields = [DipoleConvolution((7, 9, 8), voxel_size, d, 1.0, dtype=torch.float64)(chi) for d in DIRECTIONS]
    found = cosmos(torch.cat(fields, 1), voxel_size, DIRECTIONS)
    torch.testing.assert_close(found, chi - chi.mean((2, 3, 4), keepdim=True), atol=1e-10, rtol=0)


def test_a_single_direction_leaves_a_cone_out() -> None:
    chi = torch.randn(1, 1, 8, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    field = DipoleConvolution((8, 8, 8), padding=1.0, dtype=torch.float64)(chi)
    found = cosmos(field, (1.0, 1.0, 1.0), DIRECTIONS[:1], floor=0.01)
    assert 0.02 < (found - chi + chi.mean()).norm() / chi.norm() < 0.7


def test_padding_and_mask_leave_zeros_outside() -> None:
    fields, mask = torch.randn(1, 2, 6, 5, 4), torch.zeros(1, 1, 6, 5, 4)
    mask[..., 2, 2, 2] = 1
    found = cosmos(fields, (1.0, 1.0, 1.0), DIRECTIONS[:2], mask, padding=1.5)
    assert found.count_nonzero() == 1


def test_rejects_another_number_of_directions() -> None:
    with pytest.raises(ValueError, match="got 2 fields, 3 directions"):
        cosmos(torch.zeros(1, 2, 4, 4, 4), (1.0, 1.0, 1.0), DIRECTIONS[:3])
