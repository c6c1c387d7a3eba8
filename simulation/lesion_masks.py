"""Given lesion masks in MNI152 space, to be carried by simulated or real heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..datasets.volumes import read_volume
from .anatomy import BRAIN_CENTER
from .deformation import Grid, Sampler, SmoothDeformation


def shares_from_mask(path: Path, grid: Grid, rng: np.random.Generator) -> NDArray[np.float32]:
    """Move, scale and perhaps mirror a mask a little at random, and soften its border.

    Returns:
        Share of lesion tissue in each voxel of ``grid``, ``(x, y, z)``, 0.5 at the border.
    """
    mask = read_volume(path, allow_constant=True)
    affine = mask.affine.numpy()
    soft = ndimage.gaussian_filter(mask.numpy()[0], 0.6 / np.linalg.norm(affine[:3, :3], axis=0))
    move = SmoothDeformation(rng, BRAIN_CENTER, scale=rng.uniform(0.95, 1.1), magnitude=2.0)
    move.matrix[:, 0] *= rng.choice([-1, 1])
    return Sampler(move(grid), soft.shape, affine)(soft)
