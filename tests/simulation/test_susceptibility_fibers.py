"""Tests of simulation.susceptibility_fibers."""

from __future__ import annotations

import numpy as np
import pytest

from mri_attention.simulation.susceptibility import simulate_susceptibility
from mri_attention.simulation.susceptibility_fibers import (
    ANISOTROPY,
    fiber_directions,
    fiber_effect,
    orientation_effect,
)

SHAPE, SIZE = (30, 28, 26), (1.0, 1.0, 1.5)


def white_matter() -> np.ndarray:
    places = (np.indices(SHAPE) - np.array([14.5, 13.5, 12.5])[:, None, None, None]) * np.array(SIZE)[
        :, None, None, None
    ]
    return (np.linalg.norm(places, axis=0) < 12).astype(np.float32)


@pytest.mark.parametrize("angle", [0, 30, 54.7356, 90, 150])
def test_effect_of_parallel_fibers_follows_the_squared_cosine(angle: float) -> None:
    radians = np.radians(angle)
    fibers = np.broadcast_to(np.array([0.0, np.sin(radians), np.cos(radians)])[:, None, None, None], (3, 2, 2, 2))
    found = orientation_effect(2.5 * fibers, (0, 0, 3.0), 0.02)
    np.testing.assert_allclose(found, 0.02 * (np.cos(radians) ** 2 - 1 / 3), atol=1e-7)


def test_directions_of_all_kinds_have_no_effect_on_average() -> None:
    fibers = np.random.default_rng(0).normal(size=(3, 40, 40, 40))
    assert orientation_effect(fibers, (0.3, -0.2, 0.9), 0.02).mean() == pytest.approx(0, abs=1e-4)


def test_without_anisotropy_there_is_no_effect() -> None:
    assert not orientation_effect(np.random.default_rng(0).normal(size=(3, 4, 4, 4)), (0, 0, 1), 0.0).any()


def test_effect_lies_in_white_matter_and_within_its_bounds() -> None:
    white = white_matter()
    effect = fiber_effect(white, SIZE, (0, 0, 1), np.random.default_rng(0))
    assert not effect[white == 0].any()
    assert effect.any()
    assert -ANISOTROPY[1] / 3 <= effect.min()
    assert effect.max() <= 2 * ANISOTROPY[1] / 3


def test_fibers_fan_out_and_cross_in_the_middle() -> None:
    fibers = np.mean([fiber_directions(white_matter(), SIZE, np.random.default_rng(seed)) for seed in range(8)], axis=0)
    fibers /= np.linalg.norm(fibers, axis=0)
    assert fibers[0, 14:16, 10:18, 10:16].mean() > 0.7
    assert fibers[2, 13:17, 12:16, 22:].mean() > 0.25
    assert fibers[2, 13:17, 12:16, :4].mean() < -0.25


def test_head_without_a_direction_of_b0_has_isotropic_fibers() -> None:
    tissues = {"white_matter": white_matter()}
    options = {"sources": False, "texture": 0.0}
    plain, along, across = (
        simulate_susceptibility(tissues, SIZE, np.random.default_rng(1), b0_direction=b0, **options)
        for b0 in (None, (0, 0, 1), (1, 0, 0))
    )
    assert np.ptp(plain[white_matter() > 0]) < 1e-6
    assert np.ptp(along[white_matter() > 0]) > 1e-3
    assert (along != across).any()
