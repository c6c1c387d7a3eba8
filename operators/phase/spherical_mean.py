"""Means over spheres, as convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from ..dipole import SPATIAL, filter_kspace
from ..linear_operator import LinearOperator

PARTS = 5  # of a voxel along each axis, for what a sphere takes of those at its surface


class SphericalMean(LinearOperator):
    """The mean over a sphere around each voxel, of volumes ``(..., x, y, z)`` with zeros around them.

    It is self-adjoint. The mean of a harmonic function is its value in the middle.

    Args:
        shape: voxels along each axis.
        voxel_size: mm.
        radius: mm.
        margin: mm of zeros around, at least the radius; the radius if it is None.
        dtype: of the kernel.

    Attributes:
        share_of_voxel: what a voxel within the sphere is of it.
        response: of the convolution, ``(X, Y, Z)``, on a grid with room for the margin.
    """

    def __init__(
        self,
        shape: Sequence[int],
        voxel_size: Sequence[float],
        radius: float,
        margin: float | None = None,
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        margin = radius if margin is None else margin
        sizes = [
            next_fast_len(n + math.ceil(margin / size) + 1, real=True)
            for n, size in zip(shape, voxel_size, strict=True)
        ]
        kernel = sphere(sizes, voxel_size, radius)
        self.share_of_voxel = float(kernel.max())
        self.response = torch.fft.fftn(kernel, dim=SPATIAL).real.to(dtype)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return the means."""
        return filter_kspace(x, self.response)

    def adjoint(self, y: Tensor, /) -> Tensor:
        """Return the means."""
        return self(y)


def sphere(shape: Sequence[int], voxel_size: Sequence[float], radius: float) -> Tensor:
    """Return the share of each voxel that is in a sphere around the first one, with the sum 1, in float64.

    Shares reach as far as voxels do, by the longest side most. Half axes of ``sqrt(radius^2 - 5/12 size^2)`` make up
    for that: second moments are equal along all axes, as the mean of a harmonic function needs.

    Args:
        shape: of the grid, larger than the sphere, whose other half is at the far ends.
        voxel_size: mm.
        radius: mm.
    """
    out = torch.zeros(*shape, dtype=torch.float64)
    halves = [math.sqrt(max(radius**2 - 5 / 12 * size**2, size**2 / 4)) for size in voxel_size]
    reach = [math.floor(half / size + 0.5) for half, size in zip(halves, voxel_size, strict=True)]
    axes = [torch.arange(-r, r + 1) for r in reach]
    parts = [(2 * part + 1 - PARTS) / (2 * PARTS) for part in range(PARTS)]
    inside = torch.zeros(*(len(axis) for axis in axes), dtype=torch.float64)
    for shift in product(parts, repeat=3):
        x, y, z = (
            ((a + s) * size / half) ** 2 for a, s, size, half in zip(axes, shift, voxel_size, halves, strict=True)
        )
        inside += x[:, None, None] + y[None, :, None] + z[None, None, :] <= 1
    places = [axis % n for axis, n in zip(axes, shape, strict=True)]
    out[places[0][:, None, None], places[1][None, :, None], places[2][None, None, :]] = inside / inside.sum()
    return out
