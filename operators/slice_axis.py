"""The axis across slices."""

from __future__ import annotations

import numpy as np
from torch import Tensor

TOLERANCE = 0.02  # of the ratio of voxel sizes, within which planes are equally square


def slice_axis(affine: Tensor) -> int:
    """Find the axis across slices: the one whose plane has the squarest pixels; of equals, the one nearest to S.

    Truncation of k-space in a plane keeps its pixels as square as they were, so that images of low and of high
    resolution have the same axis, also where slices are thinner than pixels.

    Args:
        affine: 4x4 (RAS, mm).
    """
    columns = affine.double().cpu().numpy()[:3, :3]
    sizes = np.linalg.norm(columns, axis=0)
    elongations = [np.ptp(np.log(np.delete(sizes, axis))) for axis in range(3)]
    closest = [axis for axis in range(3) if elongations[axis] <= min(elongations) + TOLERANCE]
    return max(closest, key=lambda axis: abs(columns[2, axis]) / sizes[axis])
