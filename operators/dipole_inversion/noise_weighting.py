"""What the noise of a field asks of its inversion: the weight of total variation, and of the data voxel by voxel."""

from __future__ import annotations

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..quantile import quantile

WEIGHT_AT_ONE_PPB = 4.5e-5  # ppm
EXPONENT, OF_THICKNESS = 1.25, 0.4
LEAST_NOISE = 1e-5  # ppm, below what is measured
REFERENCE_QUANTILE = 0.1


def weight_for_noise(noise: Tensor | float, voxel_size: Vector, mask: Tensor | None = None) -> Tensor:
    """Return the weight of total variation (ppm mm) that is about best for a field's noise.

    ``4.5e-5 ppm * size * (longest / shortest)^0.4 * (noise / 1 ppb)^1.25``, with the size of a cube of the voxel's
    volume and its longest and shortest sides, and 0.01 ppb of noise at least: a fit to the best weights of simulated
    heads of 1 to 2.5 mm with 0.3 to 10 ppb. Heads with more texture want less.

    Args:
        noise: ppm, as :func:`reference_noise` takes it.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        mask: of the brain, ``(b, 1, x, y, z)``, for a map of noise.

    Returns:
        ``(b,)``.
    """
    sigma = reference_noise(noise, mask).double().cpu().clamp(min=LEAST_NOISE)
    sizes = torch.atleast_2d(torch.as_tensor(voxel_size, dtype=torch.float64))
    thickness = sizes.amax(1) / sizes.amin(1)
    return WEIGHT_AT_ONE_PPB * sizes.prod(1) ** (1 / 3) * thickness**OF_THICKNESS * (sigma / 1e-3) ** EXPONENT


def weight_of_data(noise: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return data weights ``min(reference / noise, 1)`` for a map of noise, and 0 outside of the mask.

    Weighted, the field has the noise of :func:`reference_noise` in all voxels but the few with still less. Where the
    noise is zero, infinite or not a number, nothing is known, and the weight is 0.

    Args:
        noise: ppm, ``(b, 1, x, y, z)``.
        mask: of the same shape; everywhere if it is None.
    """
    reference = reference_noise(noise, mask).to(noise)[:, None, None, None, None]
    weights = torch.where(_is_known(noise), reference / noise, 0).clamp(max=1)
    return weights if mask is None else weights * mask


def reference_noise(noise: Tensor | float, mask: Tensor | None = None) -> Tensor:
    """Return the noise (ppm) of the voxels that have little of it, ``(b,)``: the 0.1 quantile of maps.

    Args:
        noise: ppm, a number, ``(b,)``, or maps ``(b, 1, x, y, z)``.
        mask: of the maps' voxels that count.

    Raises:
        ValueError: if the noise is negative or not a number, or a map's nowhere in the mask positive.
    """
    values = torch.atleast_1d(torch.as_tensor(noise))
    if values.ndim < 5:
        if not (values >= 0).all():
            raise ValueError(f"noise must not be negative, got {values.flatten().tolist()}")
        return values.flatten()
    counted = _is_known(values) if mask is None else _is_known(values) & (mask > 0)
    if not counted.flatten(1).any(1).all():
        raise ValueError("noise must be positive somewhere in the mask")
    return torch.stack(
        [quantile(item[inside], REFERENCE_QUANTILE) for item, inside in zip(values, counted, strict=True)]
    )


def _is_known(noise: Tensor) -> Tensor:
    return noise.isfinite() & (noise > 0)
