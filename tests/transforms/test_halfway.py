"""Tests of transforms.halfway on known motions."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.transforms.halfway import halfway_grid, mean_motion, register_halfway
from mri_attention.transforms.registration import QUICK, register_rigid
from mri_attention.transforms.rigid_motion import RigidMotion
from tests.transforms.ellipsoid_heads import FIXED_GRID, head, motion_matrix

SHAPE = (68, 88, 60)
MOTIONS = [np.eye(4), motion_matrix((3, -5, 8), (4, -3, 6)), motion_matrix((-4, 6, 2), (-5, 8, -2))]


def images(motions: list[np.ndarray]) -> list[MetaTensor]:
    """Return small images that carry the motion by which their head was moved."""
    return [
        MetaTensor(torch.ones(1, 4, 4, 4), affine=torch.eye(4, dtype=torch.float64), meta={"moved": motion})
        for motion in motions
    ]


def known(moving: MetaTensor, fixed: MetaTensor) -> RigidMotion:
    """Return the true motion in the place of registration."""
    return RigidMotion.of(fixed.meta["moved"] @ np.linalg.inv(moving.meta["moved"]), np.zeros(3))


def matrices(motions: list[np.ndarray], register: Callable[..., RigidMotion] = known) -> list[np.ndarray]:
    return [motion.matrix for motion in register_halfway(images(motions), register).motions]


@pytest.mark.parametrize("n_visits", [2, 3])
def test_all_visits_meet(n_visits: int) -> None:
    found = matrices(MOTIONS[:n_visits])
    meets = [matrix @ moved for matrix, moved in zip(found, MOTIONS[:n_visits], strict=True)]
    for other in meets[1:]:
        np.testing.assert_allclose(other, meets[0], atol=1e-9)


def test_each_of_two_visits_moves_half_of_the_way() -> None:
    first, second = matrices(MOTIONS[:2])
    np.testing.assert_allclose(first @ second, np.eye(4), atol=1e-9)  # inverse to each other
    np.testing.assert_allclose(np.linalg.inv(second @ second), MOTIONS[1], atol=1e-9)


@pytest.mark.parametrize("n_visits", [2, 3])
def test_the_reverse_order_gives_the_same_motions(n_visits: int) -> None:
    forward, backward = matrices(MOTIONS[:n_visits]), matrices(MOTIONS[:n_visits][::-1])
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-9)


def test_errors_of_registration_do_not_prefer_a_visit() -> None:
    def inexact(moving: MetaTensor, fixed: MetaTensor) -> RigidMotion:
        return RigidMotion.of(motion_matrix((0.1, 0, 0), (0.2, 0.1, 0)) @ known(moving, fixed).matrix, np.zeros(3))

    forward, backward = matrices(MOTIONS[:2], inexact), matrices(MOTIONS[:2][::-1], inexact)
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-9)


def test_a_disagreement_there_and_back_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def always_right(moving: MetaTensor, fixed: MetaTensor) -> RigidMotion:
        return RigidMotion.of(motion_matrix((0, 0, 0), (2, 0, 0)), np.zeros(3))

    with caplog.at_level(logging.WARNING):
        found = register_halfway(images(MOTIONS[:2]), always_right)
    assert "there and back differs by 4.0 mm" in caplog.text or found.disagreements[0] > 4
    assert len(caplog.records) == 1


def test_refuses_a_single_visit() -> None:
    with pytest.raises(ValueError, match="at least two images, got 1"):
        register_halfway(images(MOTIONS[:1]))


def test_the_mean_goes_along_with_further_motions() -> None:
    mean = mean_motion(MOTIONS)
    further = motion_matrix((10, -20, 5), (30, 0, -10))
    np.testing.assert_allclose(mean_motion([further @ m for m in MOTIONS]), further @ mean, atol=1e-9)
    np.testing.assert_allclose(mean_motion([m @ further for m in MOTIONS]), mean @ further, atol=1e-9)
    np.testing.assert_allclose(mean_motion([np.linalg.inv(m) for m in MOTIONS]), np.linalg.inv(mean), atol=1e-9)


def test_the_mean_is_rigid() -> None:
    rotation = mean_motion(MOTIONS)[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_the_grid_holds_all_heads() -> None:
    values = torch.zeros(1, 20, 20, 20)
    values[:, 5:15, 5:15, 5:15] = 1
    moved = MetaTensor(values, affine=torch.from_numpy(np.diag([-2.0, 2, 2, 1])))
    other = MetaTensor(values, affine=torch.from_numpy(motion_matrix((0, 0, 30), (3, 0, 0)) @ np.diag([2.0, 2, 2, 1])))
    grid = halfway_grid([moved, other], (1, 1, 1.5))
    last = grid.affine.numpy() @ [*(np.array(grid.shape[1:]) - 1), 1]
    for image in (moved, other):
        voxels = np.column_stack([torch.nonzero(values[0]).numpy(), np.ones(1000)])
        points = (voxels @ image.affine.numpy().T)[:, :3]
        assert (points >= grid.affine.numpy()[:3, 3]).all()
        assert (points <= last[:3]).all()
    np.testing.assert_array_equal(np.diag(grid.affine.numpy()), [1, 1, 1.5, 1])


def test_a_known_motion_is_found_and_halved() -> None:
    def quick(moving: MetaTensor, fixed: MetaTensor) -> RigidMotion:
        return register_rigid(moving, fixed, effort=QUICK)

    motion = motion_matrix((2, -3, 4), (4, -3, 5))
    visits = [head(FIXED_GRID, SHAPE, 0, moved) for moved in (np.eye(4), motion)]
    found = register_halfway(visits, quick)
    first, second = (motion.matrix for motion in found.motions)
    points = np.column_stack([np.random.default_rng(0).uniform(-60, 60, (50, 3)), np.ones(50)])
    error = points @ (np.linalg.inv(second) @ first - motion).T
    assert np.linalg.norm(error, axis=1).max() < 0.5
    np.testing.assert_allclose(first @ second, np.eye(4), atol=1e-6)
    assert found.disagreements[0] < 0.5
