"""The axis across slices."""

from __future__ import annotations

import numpy as np
from torch import Tensor

TOLERANCE = 0.02  # of the ratio of voxel sizes, within which planes are equally square


def slice_axis(affine: Tensor) -> int:
    """Find the axis across slices: the one whose plane has the squarest pixels; of equals, the one nearest to S.

    Scanners make pixels square, or nearly so, and slices of any thickness: mostly thicker than pixels, but where
    k-space is truncated in the plane also thinner, so that the coarsest axis would be wrong. Truncation keeps pixels as
    square as they were: images of low and of high resolution have the same axis, unless voxels become cubes. Voxels of
    0.8 x 0.9 x 0.8 mm have slices along their second axis, and are not taken for cubes, as truncation may well leave
    slices that differ from pixels by as little.

    Args:
        affine: 4x4 (RAS, mm).
    """
    columns = affine.double().cpu().numpy()[:3, :3]
    sizes = np.linalg.norm(columns, axis=0)
    elongations = [np.ptp(np.log(np.delete(sizes, axis))) for axis in range(3)]
    closest = [axis for axis in range(3) if elongations[axis] <= min(elongations) + TOLERANCE]
    return max(closest, key=lambda axis: abs(columns[2, axis]) / sizes[axis])
