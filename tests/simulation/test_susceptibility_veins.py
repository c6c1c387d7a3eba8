"""Tests of simulation.susceptibility_veins."""

from __future__ import annotations

import numpy as np
import pytest

from mri_attention.simulation.susceptibility_veins import Veins, draw_veins, grow, on_surface, outwards, tube_shares

SHAPE, SIZES = (40, 36, 32), np.array([1.0, 1.0, 1.2])
CENTER = (np.array(SHAPE) - 1) / 2
RADIUS = np.linalg.norm((np.indices(SHAPE) - CENTER[:, None, None, None]) * SIZES[:, None, None, None], axis=0)


def straight(radius: float, direction: tuple[float, float, float], length: float = 20.0) -> Veins:
    """A straight tube through the middle."""
    steps = np.linspace(-length / 2, length / 2, 81)[:, None] * np.array(direction) / np.linalg.norm(direction)
    return Veins((CENTER + steps / SIZES)[None], np.full((1, 81), radius))


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (0.3, -0.5, 0.8)])
@pytest.mark.parametrize("radius", [0.2, 0.7, 2.5])
def test_tubes_have_their_volume(radius: float, direction: tuple[float, float, float]) -> None:
    shares = tube_shares(straight(radius, direction), SHAPE, SIZES)
    assert shares.sum() * SIZES.prod() == pytest.approx(np.pi * radius**2 * 20, rel=1e-3)


@pytest.mark.parametrize("radius", [2.0, 3.5])
def test_wide_tubes_have_their_radius_and_are_full(radius: float) -> None:
    plane = tube_shares(straight(radius, (0, 0, 1)), SHAPE, SIZES)[:, :, 16]
    assert np.sqrt((plane > 0.5).sum() / np.pi) == pytest.approx(radius, rel=0.1)
    assert plane[19:21, 17:19] == pytest.approx(1, abs=0.15)


def test_thin_veins_are_as_faint_as_they_are_thin() -> None:
    thin, half = (tube_shares(straight(radius, (1, 0, 0)), SHAPE, SIZES).max() for radius in (0.3, 0.15))
    assert thin < np.pi * 0.3**2
    assert half == pytest.approx(thin / 4, rel=0.1)


def test_veins_on_a_surface_stay_on_it_and_get_thinner() -> None:
    level = (1 / (1 + np.exp(RADIUS - 12))).astype(np.float32)
    trees = grow(level, on_surface(level, SIZES), SIZES, np.random.default_rng(0), 20, (0.3, 0.9), (20, 40))
    assert len(trees) == 3
    assert 20 == len(trees[0].paths) < len(trees[1].paths) < len(trees[2].paths) <= 80
    for veins in trees:
        there = veins.radii > 0
        assert (np.diff(veins.radii, axis=1)[there[:, 1:]] <= 0).all()
        far = np.linalg.norm((veins.paths - CENTER) * SIZES, axis=-1)[there]
        assert np.mean(abs(far - 12) < 2) > 0.9
    thickest = [veins.radii.max() for veins in trees]
    assert 0.9 >= thickest[0] > thickest[1] > thickest[2] > 0


def test_veins_to_the_ventricles_lead_straight_out_of_them() -> None:
    level = (1 - np.exp(-((RADIUS / 8) ** 2))).astype(np.float32)
    start = np.where(RADIUS < 7, level, 0).astype(np.float32)
    (veins,) = grow(start, outwards(level, SIZES), SIZES, np.random.default_rng(0), 30, (0.1, 0.4), (8, 9), (0.2, 1), 1)
    outward = (veins.paths - CENTER) * SIZES
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    steps = np.diff(veins.paths, axis=1) * SIZES
    steps /= np.linalg.norm(steps, axis=-1, keepdims=True)
    assert (steps * outward[:, 1:]).sum(-1)[:, -5:].mean() > 0.8


def test_a_surface_that_is_nowhere_has_no_veins() -> None:
    flat = np.zeros(SHAPE, np.float32)
    assert grow(flat, on_surface(flat, SIZES), SIZES, np.random.default_rng(0), 5, (0.3, 0.9), (20, 40)) == []


def test_veins_of_a_head_are_shares_within_it() -> None:
    tissue = ((RADIUS < 15) & (RADIUS > 4)).astype(np.float32)
    fluid = ((RADIUS < 18) & (tissue == 0)).astype(np.float32)
    shares = draw_veins(tissue, fluid, tissue * (RADIUS < 12), SIZES, np.random.default_rng(0))
    assert not shares[RADIUS >= 18].any()
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert 0 < shares[RADIUS < 18].mean() < 0.05
