"""Cubic resampling between grids whose outer voxel edges, or first voxels, coincide, in torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .linear_operator import LinearOperator

Matrix = NDArray[np.float64]  # the functions that are cached make no tensors, which would be those of an export

SMOOTHNESS = 1e-3  # weight of differences of neighbors in a deconvolution; from 1e-2 to 1e-4 heads differ by 0.3 dB


class Resampling(LinearOperator):
    """A matrix along each of the last axes; the adjoint has the transposed ones.

    Args:
        matrices: ``(n_out, n_in)`` for each axis, such as :func:`keys_matrix`, :func:`spline_matrix` or
            :func:`deconvolution_matrix`.
    """

    def __init__(self, matrices: Sequence[Matrix]) -> None:
        self.matrices = tuple(matrices)

    def __call__(self, image: Tensor, /) -> Tensor:
        """Map ``(..., *n_in)`` to ``(..., *n_out)``, in float32 at least, of the type of ``image``."""
        result = image.to(torch.promote_types(image.dtype, torch.float32))
        with torch.autocast(image.device.type, enabled=False):  # an image is not to lose bits where a network may
            for axis, values in zip(range(-len(self.matrices), 0), self.matrices, strict=True):
                matrix = torch.from_numpy(values).to(result)
                result = F.linear(result.movedim(axis, -1), matrix).movedim(-1, axis)
        return result.to(image.dtype)

    def adjoint(self, image: Tensor, /) -> Tensor:
        """Map ``(..., *n_out)`` to ``(..., *n_in)``."""
        return Resampling([matrix.T for matrix in self.matrices])(image)


def resample_cubic(
    image: Tensor,
    size: Sequence[int],
    *,
    antialias: bool = False,
    step: float | None = None,
    grid: Literal["edges", "first_voxel"] = "edges",
) -> Tensor:
    """Resample the last axes of ``image`` by cubic convolution, differentiably.

    Keys 1981, IEEE Trans Acoust Speech Signal Process 29:1153, doi:10.1109/TASSP.1981.1163711, with ``a = -1/2``, one
    axis after the other. Output voxel i lies at ``(i + 1/2) step - 1/2`` input voxels. The outermost voxels are
    repeated beyond the border.

    Args:
        image: such as ``(b, c, *spatial)``, real.
        size: output size of the last axes, as many as it has numbers.
        antialias: widen the kernel by ``step`` where that is above one, so that it averages what it leaves out.
        step: distance of output voxels in input voxels; by default input size / output size, which makes both
            outer edges coincide.
        grid: ``"first_voxel"`` if output voxel i lies at ``i step``.

    Raises:
        ValueError: if a size is below one, or there are more sizes than axes.
    """
    shift = 0.0 if grid == "first_voxel" else 0.5
    return _resample(image, size, lambda n_in, n_out: keys_matrix(n_in, n_out, step or n_in / n_out, antialias, shift))


def resample_spline(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resample the last axes of ``image`` by the interpolating cubic B-spline, without antialiasing, differentiably.

    Equal to ``scipy.ndimage.zoom`` of order 3 with ``mode="nearest", grid_mode=True``: a spline is linear in the
    samples and separable, so that scipy's result for unit vectors, computed once for a size, is a matrix for each axis.
    Arguments and errors are those of :func:`resample_cubic`.
    """
    return _resample(image, size, spline_matrix)


def resample_deconvolved(image: Tensor, size: Sequence[int], sigma: float = 1.0) -> Tensor:
    """Undo :class:`SimulateLowResolution` as far as a linear map can, differentiably.

    Its blur and spline are separable and known, so that the smoothest image that they map to ``image`` is a matrix
    for each axis: that of the regularized least squares in :func:`deconvolution_matrix`.

    Args:
        image: such as ``(b, c, *spatial)``, real.
        size: output size of the last axes, multiples of those of ``image``.
        sigma: of the Gaussian, in voxels of the output.

    Raises:
        ValueError: if a size is no multiple, or there are more sizes than axes.
    """
    shape = image.shape[-len(size) :]
    if len(size) <= image.ndim and any(n_out % n_in for n_in, n_out in zip(shape, size, strict=True)):
        raise ValueError(f"size must be multiples of {tuple(shape)}, got {tuple(size)}")
    return _resample(image, size, lambda n_in, n_out: deconvolution_matrix(n_in, n_out // n_in, sigma))


@lru_cache(maxsize=64)
def keys_matrix(n_in: int, n_out: int, step: float, antialias: bool = False, shift: float = 0.5) -> Matrix:
    """Return the weights ``(n_out, n_in)`` of :func:`resample_cubic` along one axis, float64; rows sum to one."""
    width = max(step, 1.0) if antialias else 1.0
    reach = math.ceil(2 * width)
    centers = (np.arange(n_out) + shift) * step - shift
    taps = np.floor(centers).astype(int)[:, None] + np.arange(1 - reach, reach + 1)
    weights = _keys((taps - centers[:, None]) / width)
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, None], taps.clip(0, n_in - 1)), weights / weights.sum(1, keepdims=True))
    return matrix


@lru_cache(maxsize=64)
def spline_matrix(n_in: int, n_out: int) -> Matrix:
    """Return the weights ``(n_out, n_in)`` of :func:`resample_spline` along one axis, float64."""
    columns = [ndimage.zoom(u, n_out / n_in, order=3, mode="nearest", grid_mode=True) for u in np.eye(n_in)]
    return np.stack(columns, 1)


@lru_cache(maxsize=64)
def deconvolution_matrix(n_in: int, scale: int, sigma: float = 1.0) -> Matrix:
    """Return the weights ``(n_in * scale, n_in)`` of :func:`resample_deconvolved` along one axis, float64.

    With D the blur and the decimation along the axis, and L differences of neighbors, it is the x that minimizes
    ``|D x - y|^2 + 1e-3 |L x|^2``. Rows sum to one. At scale 1 it is the identity, as such axes are not blurred.
    """
    n_out = n_in * scale
    if scale == 1:
        return np.eye(n_in)
    blur = ndimage.gaussian_filter1d(np.eye(n_out), sigma, axis=0)
    degrade = spline_matrix(n_out, n_in) @ blur
    difference = np.diff(np.eye(n_out), axis=0)
    normal = degrade.T @ degrade + SMOOTHNESS * difference.T @ difference
    return np.asarray(np.linalg.solve(normal, degrade.T))


def _keys(distance: Matrix) -> Matrix:
    s = np.abs(distance)
    near = (1.5 * s - 2.5) * s**2 + 1
    far = ((2.5 - 0.5 * s) * s - 4) * s + 2
    return np.where(s <= 1, near, np.where(s < 2, far, 0.0))


def _resample(image: Tensor, size: Sequence[int], matrix_of: Callable[[int, int], Matrix]) -> Tensor:
    if min(size) < 1 or len(size) > image.ndim:
        raise ValueError(f"size must have positive numbers, one for each of the last axes, got {tuple(size)}")
    shape = image.shape[-len(size) :]
    return Resampling([matrix_of(n_in, n_out) for n_in, n_out in zip(shape, size, strict=True)])(image)
