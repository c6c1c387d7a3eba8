"""The local field by means over spheres that shrink towards the border of the mask."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import filter_kspace
from .spherical_mean import SphericalMean

OUTSIDE = 1e-4  # share of a sphere that may be outside of the mask, and half of a voxel at most

LARGEST = 90.0  # mm


def vsharp(
    field: Tensor,
    mask: Tensor,
    voxel_size: Vector,
    *,
    radius: float = 12.0,
    smallest_radius: float | None = None,
    threshold: float = 0.05,
) -> tuple[Tensor, Tensor]:
    """Remove the field of sources outside of a mask: V-SHARP.

    Sources outside make a harmonic field inside, whose mean over a sphere is its value in the middle; what differs from
    that mean is of sources inside: ``(delta - s_r) * field``. Each voxel takes the largest sphere that fits into the
    mask. The map is divided by ``1 - S`` of the largest sphere where that is above a threshold. Schweser et al. 2011,
    NeuroImage 54:2789, doi:10.1016/j.neuroimage.2010.10.070; with varying spheres Wu et al. 2012, Magn Reson Med
    67:137, doi:10.1002/mrm.23000.

    Args:
        field: ``(1, 1, x, y, z)``, any unit.
        mask: 0 and 1, of the same shape.
        voxel_size: mm, ``(3,)``.
        radius: of the largest sphere, mm.
        smallest_radius: mm; the longest side of a voxel if it is None. The mask loses about as much of its border.
        threshold: of the division.

    Returns:
        The local field, zero outside of the mask that is left, and that mask.

    Raises:
        ValueError: if the threshold is not positive, or the largest sphere smaller than the smallest or too large.
    """
    sizes = [float(size) for size in voxel_size]
    smallest = max(sizes) if smallest_radius is None else smallest_radius
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, got {threshold=}")
    require_radii(radius, smallest)
    inside, found = (mask > 0).to(field.dtype), torch.zeros_like(field)
    masked, left = field * inside, torch.zeros_like(mask, dtype=torch.bool)
    passed = 1 - SphericalMean(field.shape[-3:], sizes, radius, radius, dtype=field.dtype).response
    for size, fits in fitting_spheres(inside, sizes, _radii(radius, smallest, min(sizes))):
        mean = SphericalMean(field.shape[-3:], sizes, size, radius, dtype=field.dtype)
        found = torch.where(fits, masked - mean(masked), found)
        left = left | fits
    inverse = torch.where(passed.abs() > threshold, 1 / passed, 0)
    return filter_kspace(found, inverse) * left, left


def require_radii(largest: float, smallest: float) -> None:
    """Raise a ValueError if the largest sphere (mm) is smaller than the smallest, or larger than a head."""
    if not largest >= smallest > 0:
        raise ValueError(f"radius must be at least {smallest:g} mm, the smallest, got radius={largest}")
    if largest > LARGEST:
        raise ValueError(f"radius must be at most {LARGEST:g} mm, about that of a head, got radius={largest}")


def fitting_spheres(mask: Tensor, voxel_size: Sequence[float], radii: Sequence[float]) -> list[tuple[float, Tensor]]:
    """Give each voxel the first of some spheres that fits into a mask.

    Args:
        mask: 0 and 1, ``(1, 1, x, y, z)``.
        voxel_size: mm.
        radii: mm, from the largest to the smallest.

    Returns:
        The radii that voxels have, each with these voxels, of the shape of the mask.
    """
    inside = (mask > 0).to(torch.float32)
    left, found = mask > 0, []
    for radius in radii:
        mean = SphericalMean(mask.shape[-3:], voxel_size, radius, radii[0])
        fits = (mean(inside) > 1 - min(mean.share_of_voxel / 2, OUTSIDE)) & left
        if fits.any():
            found.append((radius, fits))
            left = left & ~fits
    return found


def _radii(largest: float, smallest: float, step: float) -> list[float]:
    """List radii (mm) from the largest to the smallest."""
    radii = [largest]
    while radii[-1] - step > smallest:
        radii.append(radii[-1] - step)
    return [*radii, smallest] if smallest < largest else radii
