"""Heads of ellipsoids for tests of registration, sampled where they lie: no interpolation is involved."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

CENTER = np.array([10.0, -5, 20])
FIXED_GRID = np.diag([2.5, 2.5, 3, 1])
FIXED_GRID[:3, 3] = CENTER - [85, 110, 90]
MOVING_GRID = np.diag([-3, 2.5, 2.5, 1])
MOVING_GRID[:3, 3] = CENTER - [-84, 105, 90]


TISSUES = np.array([[0.6, 0.9], [0.9, 0.7], [0.2, 0.1], [0.7, 1.2]])  # intensities in two contrasts


def ellipsoids() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw a head and 40 structures in it: centers and radii (mm), and intensities."""
    rng = np.random.default_rng(0)
    head = np.array([62.0, 85, 72])
    parts = [(np.zeros(3), head, TISSUES[0])]
    for _ in range(40):
        direction = rng.normal(size=3)
        center = head * direction / np.linalg.norm(direction) * rng.uniform(0.2, 0.9)
        parts.append((center, rng.uniform(8, 24, 3), TISSUES[rng.integers(4)]))
    return parts


def head(grid: np.ndarray, shape: tuple[int, ...], contrast: int, motion: np.ndarray) -> MetaTensor:
    """Sample the head, moved by ``motion``, on ``grid``: no interpolation is involved."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    to_head = np.linalg.inv(motion) @ grid
    points = voxels @ to_head[:3, :3].T + to_head[:3, 3] - CENTER
    image = np.zeros(shape)
    for center, radii, intensities in ellipsoids():
        distance = (np.linalg.norm((points - center) / radii, axis=-1) - 1) * radii.mean()
        image += (intensities[contrast] - image) / (1 + np.exp(2 * distance))
    image += np.random.default_rng(contrast).normal(scale=0.01, size=shape)
    return MetaTensor(torch.from_numpy(image[None]).float(), affine=torch.from_numpy(grid))


def motion_matrix(angles: tuple[float, ...], shift: tuple[float, ...]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = CENTER + shift - matrix[:3, :3] @ CENTER
    return matrix
