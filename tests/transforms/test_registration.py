"""Tests of transforms.registration."""

from functools import cache

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

from mri_attention.datasets.input_error import InputError
from mri_attention.transforms.registration import register_rigid
from mri_attention.transforms.rigid_motion import RigidMotion
from tests.transforms.ellipsoid_heads import CENTER, FIXED_GRID, MOVING_GRID, head, motion_matrix


@cache
def found(angles: tuple[float, ...], shift: tuple[float, ...]) -> RigidMotion:
    fixed = head(FIXED_GRID, (69, 89, 61), 0, np.eye(4))
    displaced = np.linalg.inv(motion_matrix(angles, shift))
    away = np.eye(4)
    away[:3, 3] = np.round(displaced[:3, :3] @ CENTER + displaced[:3, 3] - CENTER, -1)  # as a scanner aims
    moving = head(away @ MOVING_GRID, (57, 85, 73), 1, displaced)
    return register_rigid(moving, fixed)


@pytest.mark.parametrize(
    ("angles", "shift"),
    [((0, 0, 0), (0, 0, 0)), ((8, -5, 6), (4, -7, 5)), ((-3, 10, -12), (-9, 3, -6)), ((2, 1, -3), (150, -80, 60))],
)
def test_recovers_a_known_motion_between_contrasts(angles: tuple[float, ...], shift: tuple[float, ...]) -> None:
    motion = found(angles, shift)
    error = motion.matrix @ np.linalg.inv(motion_matrix(angles, shift))
    assert np.linalg.norm(error[:3, :3] @ CENTER + error[:3, 3] - CENTER) < 0.5
    assert np.degrees(Rotation.from_matrix(error[:3, :3]).magnitude()) < 0.5


def test_is_deterministic() -> None:
    first = found((8, -5, 6), (4, -7, 5))
    found.cache_clear()
    np.testing.assert_array_equal(found((8, -5, 6), (4, -7, 5)).matrix, first.matrix)


@pytest.mark.parametrize("angles", [(0, 0, 0), (10, -20, 30), (-5, 80, 170)])
def test_angles_and_shift_describe_the_matrix(angles: tuple[float, ...]) -> None:
    motion = RigidMotion.of(motion_matrix(angles, (1, 2, 3)), CENTER)
    rotation = Rotation.from_euler("xyz", motion.rotation, degrees=True)
    np.testing.assert_allclose(rotation.as_matrix(), motion.matrix[:3, :3], atol=1e-12)
    np.testing.assert_allclose(motion.translation, (1, 2, 3), atol=1e-12)


def test_text_has_units() -> None:
    text = str(RigidMotion.of(motion_matrix((10, -20, 30), (1, 2, 3)), CENTER))
    assert text == "rotation (10.00, -20.00, 30.00) degrees, translation (1.00, 2.00, 3.00) mm"


def test_applying_changes_the_affine_only() -> None:
    image = head(MOVING_GRID, (8, 9, 10), 1, np.eye(4))
    motion = RigidMotion.of(motion_matrix((10, -20, 30), (1, 2, 3)), CENTER)
    moved = motion.apply(image)
    np.testing.assert_allclose(moved.affine.numpy(), motion.matrix @ MOVING_GRID)
    np.testing.assert_array_equal(moved.numpy(), image.numpy())
    np.testing.assert_array_equal(image.affine.numpy(), MOVING_GRID)


def test_image_of_several_channels_is_refused() -> None:
    image = head(FIXED_GRID, (8, 9, 10), 0, np.eye(4))
    with pytest.raises(ValueError, match=r"must have shape \(1, x, y, z\)"):
        register_rigid(MetaTensor(torch.cat([image, image]), affine=image.affine), image)


def test_images_that_cannot_be_aligned_are_refused() -> None:
    image = head(FIXED_GRID, (8, 9, 10), 0, np.eye(4))
    flat = MetaTensor(torch.zeros(1, 8, 9, 10), affine=image.affine, meta={"filename_or_obj": "flat.nii"})
    with pytest.raises(InputError, match=r"flat.nii: registration failed \(.*\); check"):
        register_rigid(flat, image)
