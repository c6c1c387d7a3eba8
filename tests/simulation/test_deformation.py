"""Tests of transforms.deformation."""

import numpy as np
import pytest
from scipy import ndimage

from mri_attention.simulation.deformation import Grid, Sampler, SmoothDeformation, upsample

CENTER = (1.0, -20.0, 12.0)
GRID = Grid.around(CENTER, (60, 50, 40), (2.0, 2.5, 2.0))


def test_grid_is_centered() -> None:
    assert GRID.shape == (30, 20, 20)
    np.testing.assert_allclose(GRID.points().reshape(-1, 3).mean(0), CENTER, atol=1e-4)


def test_points_are_those_of_the_affine() -> None:
    index = np.array([3, 7, 11])
    expected = GRID.affine[:3, :3] @ index + GRID.affine[:3, 3]
    np.testing.assert_allclose(GRID.points()[tuple(index)], expected, atol=1e-5)


def test_without_spread_it_only_scales_about_the_center() -> None:
    still = {"rotation": 0.0, "anisotropy": 0.0, "magnitude": 0.0}
    points = SmoothDeformation(np.random.default_rng(0), CENTER, scale=0.8, **still)(GRID).numpy()
    expected = np.asarray(CENTER) + (GRID.points() - np.asarray(CENTER)) / 0.8
    np.testing.assert_allclose(points, expected, atol=1e-3)


def test_displacement_has_the_asked_spread_and_is_smooth() -> None:
    grid = Grid.around(CENTER, (200, 200, 200), (2.0, 2.0, 2.0))
    still = {"rotation": 0.0, "anisotropy": 0.0}
    displaced = SmoothDeformation(np.random.default_rng(1), CENTER, magnitude=3.0, **still)(grid).numpy()
    displacement = displaced - grid.points()
    assert displacement.std() == pytest.approx(3.0, rel=0.35)
    assert np.abs(np.diff(displacement, axis=0)).max() < 2.0  # of 2 mm steps: no folding


def test_is_fixed_by_its_generator() -> None:
    first, second = (SmoothDeformation(np.random.default_rng(5), CENTER)(GRID) for _ in range(2))
    assert bool((first == second).all())


def test_sampler_agrees_with_scipy_on_an_oblique_grid() -> None:
    rng = np.random.default_rng(2)
    volume = rng.normal(size=(9, 11, 13)).astype(np.float32)
    affine = np.array([[2, 0.3, 0, -9], [-0.2, 1.5, 0.1, -8], [0, 0.1, 1.2, -7], [0, 0, 0, 1.0]])
    inside = rng.uniform(1, 7, size=(4, 3, 2, 3))
    points = (inside @ affine[:3, :3].T + affine[:3, 3]).astype(np.float32)
    expected = ndimage.map_coordinates(volume, np.moveaxis(inside, -1, 0), order=1)
    import torch

    sampled = Sampler(torch.from_numpy(points), volume.shape, affine)(volume)
    np.testing.assert_allclose(sampled, expected, atol=1e-4)


def test_upsample_keeps_a_linear_ramp() -> None:
    coarse = np.linspace(0, 1, 5, dtype=np.float32)[None, :, None, None] * np.ones((1, 1, 3, 3), np.float32)
    fine = upsample(coarse, (17, 6, 7))
    np.testing.assert_allclose(fine[0, :, 2, 3], np.linspace(0, 1, 17), atol=1e-6)
