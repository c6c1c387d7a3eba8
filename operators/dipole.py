"""The unit dipole in k-space, and filters there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .b0_direction import Vector, unit_vectors

SPATIAL = (-3, -2, -1)


def dipole_kernel(
    shape: Sequence[int],
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
    center_value: float = 0.0,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Sample the unit dipole in k-space, ``D(k) = 1/3 - (k.B)^2 / |k|^2``, with ``D(0) = center_value``.

    Salomir et al. 2003, Concepts Magn Reson B 19:26, doi:10.1002/cmr.b.10083; Marques and Bowtell 2005, Concepts Magn
    Reson B 25:65, doi:10.1002/cmr.b.20034. Frequencies are those of ``fftfreq``, in cycles per mm. At the highest
    frequency of an even axis, which stands for both signs, it is the mean over both: D is then even for every direction
    of B0, and its convolution with a real map is real.

    Args:
        shape: voxels along each axis.
        voxel_size: mm along each axis, ``(3,)``, or one for each item of a batch, ``(b, 3)``.
        b0_direction: of the main field in voxel axes, of any length but zero, ``(3,)`` or ``(b, 3)``.
        center_value: what a uniform susceptibility in all of space makes, in ppm per ppm; it is not measurable.
        dtype: of the result.
        device: of the result.

    Returns:
        ``shape``, or ``(b, 1, *shape)`` where an argument has a batch axis; zero frequency first.

    Raises:
        ValueError: for a voxel size that is not positive, or a direction of length zero.
    """
    sizes, directions, is_batch = vectors(voxel_size, b0_direction, dtype, device)
    frequencies = [torch.fft.fftfreq(n, dtype=dtype, device=device) / sizes[:, a, None] for a, n in enumerate(shape)]
    along, squared = _along_and_squared(frequencies, directions)
    kernel = even(1 / 3 - along**2 / squared)
    kernel[:, 0, 0, 0] = center_value
    return kernel[:, None] if is_batch else kernel[0]


def filter_kspace(image: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectrum of real images by a real and even response, ``F^-1 response F image``.

    Args:
        image: ``(..., x, y, z)``, padded with zeros at its end to the size of the response and cut back.
        response: ``(..., X, Y, Z)`` with zero frequency first, at least as large.
    """
    shape, padded = image.shape[-3:], response.shape[-3:]
    half = response[..., : padded[-1] // 2 + 1]
    filtered = torch.fft.irfftn(torch.fft.rfftn(image, s=padded, dim=SPATIAL) * half, s=padded, dim=SPATIAL)
    return filtered[..., : shape[0], : shape[1], : shape[2]]


def padded_shape(shape: Sequence[int], padding: float) -> tuple[int, ...]:
    """Grow a grid by a factor to a size that the FFT likes; a factor of 1 leaves it alone.

    Raises:
        ValueError: if the factor is below 1.
    """
    if padding < 1:
        raise ValueError(f"padding must be a factor of at least 1, got {padding}")
    return tuple(shape) if padding == 1 else fast_shape([math.ceil(n * padding) for n in shape])


def fast_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Grow a grid to a size that the FFT likes: one prime factor of 19 makes it three times slower."""
    return tuple(next_fast_len(n, real=True) for n in shape)


def vectors(
    voxel_size: Vector, b0_direction: Vector, dtype: torch.dtype, device: torch.device | str | None
) -> tuple[Tensor, Tensor, bool]:
    """Return voxel sizes and unit directions, ``(b, 3)`` or ``(1, 3)``, and whether one came with a batch axis.

    Raises:
        ValueError: for a voxel size that is not positive, or a direction of length zero.
    """
    sizes, directions = (torch.as_tensor(v, dtype=dtype, device=device) for v in (voxel_size, b0_direction))
    if not (sizes > 0).all():
        raise ValueError(f"voxel_size must be positive, got {sizes.tolist()}")
    return torch.atleast_2d(sizes), unit_vectors(torch.atleast_2d(directions)), max(sizes.ndim, directions.ndim) == 2


def fill_up(volume: Tensor, shape: Sequence[int], value: float = 0.0) -> Tensor:
    """Fill volumes ``(..., x, y, z)`` with a value at their ends to a larger shape."""
    missing = [n - m for n, m in zip(shape, volume.shape[-3:], strict=True)]
    return F.pad(volume, (0, missing[2], 0, missing[1], 0, missing[0]), value=value)


def even(values: Tensor) -> Tensor:
    """Take the mean of values at k and -k; they differ at the highest frequency of even axes alone."""
    return (values + values.flip(SPATIAL).roll((1, 1, 1), SPATIAL)) / 2


def _along_and_squared(axes: Sequence[Tensor], directions: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``p.B`` and ``|p|^2``, ``(b, x, y, z)``, at the grid of three axes ``(b, n)``; 1 for 0 at the origin."""
    x, y, z = axes[0][:, :, None, None], axes[1][:, None, :, None], axes[2][:, None, None, :]
    a, b, c = directions.T[..., None, None, None]
    squared = x**2 + y**2 + z**2
    squared[:, 0, 0, 0] = 1
    return a * x + b * y + c * z, squared
