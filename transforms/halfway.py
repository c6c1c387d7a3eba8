"""Visits of one patient brought halfway to each other, so that all are interpolated equally."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy.linalg import expm, logm

from .registration import register_rigid
from .rigid_motion import RigidMotion, moved_by

logger = logging.getLogger(__name__)

Matrix = NDArray[np.float64]
MAX_STEPS = 50
CONVERGED = 1e-12
HEAD_RADIUS = 80.0  # mm
MAX_DISAGREEMENT = 1.0  # mm; registrations of heads there and back agree to 0.3
MARGIN = 2  # voxels around the heads


@dataclass(frozen=True)
class Halfway:
    """How visits move to where they meet.

    Attributes:
        motions: of each visit, into the common space.
        disagreements: mm, of each visit with the one before: how far registration there and back takes a point that is
            80 mm from the center of the head.
    """

    motions: list[RigidMotion]
    disagreements: list[float]


def register_halfway(
    images: Sequence[MetaTensor], register: Callable[[MetaTensor, MetaTensor], RigidMotion] = register_rigid
) -> Halfway:
    """Find the rigid motions ``T_i`` that bring two or more images ``(1, x, y, z)`` of one head to a common space.

    Consecutive images are registered in both directions. With ``M_i``, which takes image i to the first one,
    ``T_i = mean(M_1, ..., M_n)^-1 M_i``. For two images that is half of the motion for each, ``M^(1/2)`` and
    ``M^(-1/2)`` (Reuter et al. 2010, NeuroImage 53:1181, doi:10.1016/j.neuroimage.2010.07.020; Reuter et al. 2012,
    NeuroImage 61:1402, doi:10.1016/j.neuroimage.2012.02.084, who take the mean for more). No image is preferred, and
    the reverse order of images gives the same motions. Departs from the source: mutual information in the place of a
    robust sum of squares, so that visits may come from different scanners.

    Args:
        images: in the order of time.
        register: finds the motion from its first to its second argument.

    Raises:
        ValueError: if there are not two images.
        InputError: if registration fails.
    """
    if len(images) < 2:
        raise ValueError(f"there must be at least two images, got {len(images)}")
    steps = [_there_and_back(later, earlier, register) for earlier, later in pairwise(images)]
    places = [np.eye(4)]
    for step, _ in steps:
        places.append(places[-1] @ step)
    to_middle = np.linalg.inv(mean_motion(places))
    motions = [RigidMotion.of(to_middle @ place, _center(image)) for place, image in zip(places, images, strict=True)]
    return Halfway(motions, [disagreement for _, disagreement in steps])


def mean_motion(matrices: Sequence[Matrix]) -> Matrix:
    """Return the mean of rigid motions as 4x4 matrices: the one from which their logarithms have the sum zero.

    ``sum_i log(mean^-1 M_i) = 0``, by ``mean <- mean exp(1/n sum_i log(mean^-1 M_i))`` (Pennec and Arsigny 2013, in
    Matrix Information Geometry, doi:10.1007/978-3-642-30232-9_7, "exponential barycenters"). It commutes with
    inversion and with further motions before or after, so that it depends on no frame of reference.
    """
    mean = np.asarray(matrices[0], np.float64)
    for _ in range(MAX_STEPS):
        step = np.mean([logm(np.linalg.solve(mean, matrix)).real for matrix in matrices], axis=0)
        mean = mean @ expm(step)
        if np.abs(step).max() < CONVERGED:
            break
    return mean


def halfway_grid(images: Sequence[MetaTensor], voxel_size: Sequence[float]) -> MetaTensor:
    """Return an empty image ``(1, x, y, z)`` whose grid, along R, A and S, holds all that is not zero in ``images``.

    Args:
        images: ``(1, x, y, z)``, moved to the common space.
        voxel_size: mm along R, A, S.
    """
    corners = np.concatenate([_corners(image) for image in images])
    size = np.asarray(voxel_size, np.float64)
    first = corners.min(0) - MARGIN * size
    n_voxels = np.ceil((corners.max(0) - first) / size - 1e-6).astype(int) + MARGIN + 1
    affine = np.diag([*size, 1.0])
    affine[:3, 3] = first
    return MetaTensor(torch.zeros(1, *n_voxels.tolist()), affine=torch.from_numpy(affine))


def _there_and_back(
    moving: MetaTensor, fixed: MetaTensor, register: Callable[[MetaTensor, MetaTensor], RigidMotion]
) -> tuple[Matrix, float]:
    """Return the mean of the motion from ``moving`` to ``fixed`` and the inverse of that back, and how they differ."""
    there, back = register(moving, fixed).matrix, np.linalg.inv(register(fixed, moving).matrix)
    disagreement = _distance(there, back, _center(moving))
    if disagreement > MAX_DISAGREEMENT:
        message = "%s: registration with %s there and back differs by %.1f mm; look whether the visits fit"
        names = (image.meta.get("filename_or_obj", "image") for image in (moving, fixed))
        logger.warning(message, *names, disagreement)
    return mean_motion([there, back]), disagreement


def _distance(one: Matrix, other: Matrix, center: Matrix) -> float:
    """Return how far apart (mm) two motions take points around ``center`` at most, along the axes."""
    points = center + HEAD_RADIUS * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    return float(np.linalg.norm(np.column_stack([points, np.ones(7)]) @ (one - other).T, axis=1).max())


def _center(image: MetaTensor) -> Matrix:
    return np.asarray(image.affine.numpy() @ [*((np.array(image.shape[1:]) - 1) / 2), 1])[:3]


def _corners(image: MetaTensor) -> Matrix:
    """Return the corners (mm) of the box around what is not zero."""
    voxels = torch.nonzero(image.as_tensor()[0]).numpy()
    box = np.array([voxels.min(0), voxels.max(0)])
    corners = np.stack(np.meshgrid(*box.T, indexing="ij"), -1).reshape(-1, 3)
    affine = image.affine.numpy()
    return np.asarray(corners @ affine[:3, :3].T + affine[:3, 3])


def moved(images: Sequence[MetaTensor], motions: Sequence[RigidMotion]) -> list[MetaTensor]:
    """Return images where motions take them; their voxels stay."""
    return [moved_by(image, motion.matrix) for image, motion in zip(images, motions, strict=True)]
