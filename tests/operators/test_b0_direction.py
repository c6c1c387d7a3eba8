"""Tests of transforms.b0_direction."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mri_attention.operators import b0_direction_from_affine, voxel_size_from_affine

TURN = Rotation.from_euler("xyz", [20, -30, 10], degrees=True).as_matrix()


def affine(axes: np.ndarray, voxel_size: tuple[float, ...] = (1, 1, 1)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes @ np.diag(voxel_size)
    matrix[:3, 3] = (-90, 20, 5)
    return matrix


@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (0.5, 2, 3)])
def test_direction_turned_back_to_the_world_is_the_worlds(voxel_size: tuple[float, ...]) -> None:
    direction = b0_direction_from_affine(affine(TURN, voxel_size))
    np.testing.assert_allclose(TURN @ direction.numpy(), [0, 0, 1], atol=1e-12)


def test_axial_coronal_and_flipped_slices() -> None:
    coronal = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    for axes, expected in ((np.eye(3), [0, 0, 1]), (np.diag([-1, -1, 1]), [0, 0, 1]), (coronal, [0, 1, 0])):
        np.testing.assert_allclose(b0_direction_from_affine(affine(axes)), expected)


def test_world_direction_may_differ_and_need_no_unit_length() -> None:
    torch.testing.assert_close(
        b0_direction_from_affine(np.eye(4), (0, 2, 0)), torch.tensor([0, 1, 0], dtype=torch.float64)
    )


def test_noise_of_a_header_is_tolerated() -> None:
    matrix = affine(np.eye(3))
    matrix[0, 1] = 1e-4
    np.testing.assert_allclose(b0_direction_from_affine(matrix), [0, 0, 1], atol=1e-3)


def test_voxel_size_is_that_of_the_columns() -> None:
    np.testing.assert_allclose(voxel_size_from_affine(affine(TURN, (0.5, 2, 3))), [0.5, 2, 3])


@pytest.mark.parametrize("matrix", [np.diag([1.0, 0, 1, 1]), np.eye(4) + 0.2 * np.eye(4, k=1), np.eye(4) * np.nan])
def test_rejects_singular_sheared_and_undefined_affines(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be at right angles"):
        b0_direction_from_affine(matrix)


def test_rejects_no_direction() -> None:
    with pytest.raises(ValueError, match="length zero"):
        b0_direction_from_affine(np.eye(4), (0, 0, 0))
