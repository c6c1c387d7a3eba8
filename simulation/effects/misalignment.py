"""Misalignment: registration leaves contrasts up to a voxel apart."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch.nn import functional

Volume = NDArray[np.float32]

SHIFT, ANGLE = 0.6, 0.5  # voxels along each axis (at most 1 in length), degrees about each


def misalign(
    image: Volume, spacing: tuple[float, ...], contrast: str, strength: float, rng: np.random.Generator
) -> Volume:
    """Move and turn T1w, T2w or PDw about the image's center; FLAIR, on which lesions are labelled, stays."""
    del spacing
    if contrast == "FLAIR":
        return image
    shift, angles = strength * rng.uniform(-SHIFT, SHIFT, 3), strength * rng.uniform(-ANGLE, ANGLE, 3)
    matrix = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    half = np.array(image.shape) / 2
    theta = np.concatenate([matrix * half[None, :] / half[:, None], (shift / half)[:, None]], axis=1)
    theta = np.concatenate([theta[::-1, 2::-1], theta[::-1, 3:]], axis=1)  # torch counts axes from the last
    points = functional.affine_grid(torch.from_numpy(theta.copy())[None].float(), [1, 1, *image.shape], False)
    values = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    return np.asarray(functional.grid_sample(values, points, align_corners=False)[0, 0].numpy())
