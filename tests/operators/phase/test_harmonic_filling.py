"""Tests of operators.phase.harmonic_filling."""

from __future__ import annotations

import torch

from mri_attention.operators.phase import fill_harmonically
from tests.operators.phase.phantoms import ball, places, sphere_field

SHAPE, SIZES, CENTER = (16, 15, 14), (1.0, 1.2, 2.0), (7.5, 8.4, 13.0)
MASK = ball(SHAPE, SIZES, CENTER, 7.0)
HOLE = ball(SHAPE, SIZES, CENTER, 2.5)


def test_a_linear_field_is_filled_exactly() -> None:
    x, y, z = (axis.float() for axis in places(SHAPE, SIZES, CENTER))
    field = 2 * x - y + 3 * z
    filled = fill_harmonically(torch.where(HOLE, 1e6, field), ~HOLE, MASK, SIZES)
    torch.testing.assert_close(filled, field, atol=1e-3, rtol=1e-3)


def test_a_field_of_sources_elsewhere_is_filled_nearly() -> None:
    field = sphere_field(SHAPE, SIZES, (7.5, 30.0, 10.0), 9.0, 9.0).float()
    filled = fill_harmonically(field * ~HOLE, ~HOLE, MASK, SIZES)
    assert (filled - field)[HOLE].abs().max() < 0.02 * (field[MASK].max() - field[MASK].min())
    torch.testing.assert_close(filled[~HOLE], field[~HOLE], atol=0, rtol=0)


def test_what_lies_outside_of_the_mask_does_not_count() -> None:
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[8:] = False
    unknown = torch.zeros(SHAPE, dtype=torch.bool)
    unknown[7, 5, 5] = True
    field = torch.where(mask, 2.0, 1000.0)
    filled = fill_harmonically(torch.where(unknown, -5.0, field), ~unknown, mask, SIZES)
    torch.testing.assert_close(filled, field, atol=1e-5, rtol=0)


def test_without_known_voxels_nothing_is_filled() -> None:
    field = torch.rand(SHAPE)
    assert fill_harmonically(field, torch.zeros(SHAPE), MASK, SIZES) is field
