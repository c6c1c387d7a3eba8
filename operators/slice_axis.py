"""The axis across slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

TOLERANCE = 0.02  # of the ratio of voxel sizes, within which planes are equally square
DOUBT = 0.3  # the same, within which another plane might as well be the right one
SAME, FINER = 1.1, 1.3  # ratios of voxel sizes up to which two are the same, and from which on one is finer


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
    elongations = _elongations(sizes)
    closest = [axis for axis in range(3) if elongations[axis] <= min(elongations) + TOLERANCE]
    return max(closest, key=lambda axis: abs(columns[2, axis]) / sizes[axis])


def slice_axis_by_guide(affine: Tensor, guide: Tensor) -> int | None:
    """Find the axis across slices of an image of low in-plane resolution: the one along which its guide is no finer.

    Args:
        affine: 4x4 (RAS, mm) of the image.
        guide: that of an image of high resolution.

    Returns:
        The axis of the image; None if the guide is finer along all axes, or along less than two, or turned to it.
    """
    columns, others = (matrix.double().cpu().numpy()[:3, :3] for matrix in (affine, guide))
    sizes, fine = np.linalg.norm(columns, axis=0), np.linalg.norm(others, axis=0)
    nearest = np.abs((columns / sizes).T @ (others / fine)).argmax(axis=1)
    ratios = sizes / fine[nearest]
    same = np.flatnonzero((ratios <= SAME) & (ratios >= 1 / SAME))
    if len(set(nearest)) < 3 or len(same) != 1 or (np.delete(ratios, same) < FINER).any():
        return None
    return int(same[0])


def is_slice_axis_doubtful(affine: Tensor) -> bool:
    """Tell whether pixels across another axis are nearly as square, though voxels are no cubes."""
    sizes = np.linalg.norm(affine.double().cpu().numpy()[:3, :3], axis=0)
    best, second, _ = sorted(_elongations(sizes))
    return bool(np.ptp(np.log(sizes)) > TOLERANCE and second - best < DOUBT)


def _elongations(sizes: NDArray[np.float64]) -> list[float]:
    return [float(np.ptp(np.log(np.delete(sizes, axis)))) for axis in range(3)]
