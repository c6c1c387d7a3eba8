"""The noise of a local field, from the field alone or from the signal that it was measured with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .b0_direction import Vector
from .dipole import SPATIAL, dipole_kernel, fast_shape, filter_kspace
from .field_units import units_per_ppm
from .gradient import gradient_power
from .quantile import quantile

CONE_WIDTH = 0.1  # of the dipole's values, at most 2/3, that are taken for none
LEAST_SHARE = 0.1  # of the variance in the cone that is noise
DEPTH = 3  # voxels of the mask's border that do not count
MIN_VOXELS = 100
BOX, QUIET_SHARE = 5, 0.05  # voxels along each axis, and which of their means counts


def estimate_field_noise(
    field: Tensor,
    mask: Tensor | None = None,
    voxel_size: Vector = (1.0, 1.0, 1.0),
    b0_direction: Vector = (0.0, 0.0, 1.0),
) -> Tensor:
    """Estimate the standard deviation of a local field's noise from what sources hardly make.

    Where the dipole kernel is zero, at 54.7 degrees to B0, the field of sources has nothing, and noise as much as
    elsewhere. Two filters keep high frequencies, where there is little of tissue and the mask's border, one of them
    ``exp(-(D / width)^2 / 2)`` of them alone. What a filter lets pass of white noise of variance ``s^2``, and of
    sources whose spectrum there is P in all directions, is ``s^2 + P <D^2>``, which two filters tell apart. What they
    let pass is the mean square of 5 voxels cubed, at its 0.05 quantile within the mask, far from vessels and the like,
    relative to that of simulated white noise. Where the noise is uneven, that is the noise of where there is little.

    The noise has to be white. A field that was interpolated, zero-filled or smoothed has less of it at high frequencies
    than elsewhere, and the estimate is too low, in the limit zero. What thick slices cannot resolve looks like noise,
    and is noise to an inversion: without any, sharp tissue in voxels of 1 x 1 x 3 mm is taken for about 0.7 ppb.

    Args:
        field: local field in ppm, ``(b, 1, x, y, z)``.
        mask: of the brain, of the same shape; everywhere if it is None.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.

    Returns:
        ppm, ``(b,)``.

    Raises:
        ValueError: if a mask is empty.
    """
    inside = torch.ones_like(field) if mask is None else (mask > 0).to(field.dtype)
    counted = [deep if deep.sum() >= MIN_VOXELS else whole for deep, whole in zip(_eroded(inside), inside, strict=True)]
    if not all(item.any() for item in counted):
        raise ValueError("the mask is empty, there is no noise in it")
    shape = fast_shape(field.shape[-3:])
    kernel = dipole_kernel(shape, voxel_size, b0_direction, dtype=field.dtype, device=field.device)
    kernel, high = kernel.reshape(-1, 1, *shape), _high_frequencies(shape).to(field)
    cone = high * torch.exp(-((kernel / CONE_WIDTH) ** 2) / 2)
    white = torch.randn(field.shape[-3:], generator=torch.Generator().manual_seed(0)).to(field).expand_as(field)
    variances, shares = [], []
    for response in (cone, high.expand_as(kernel)):
        found, of_white = (_quiet_power(filter_kspace(image, response), counted) for image in (field * inside, white))
        variances.append(found / of_white)
        shares.append((response**2 * kernel**2).mean(SPATIAL).flatten() / (response**2).mean(SPATIAL).flatten())
    noise = (shares[1] * variances[0] - shares[0] * variances[1]) / (shares[1] - shares[0])
    return torch.minimum(torch.maximum(noise, LEAST_SHARE * variances[0]), variances[1]).sqrt()


def noise_from_magnitude(magnitude: Tensor, noise: Tensor | float, echo_times: Tensor, b0: float) -> Tensor:
    """Return the standard deviation of a field fit to the phase of echoes, voxel by voxel.

    Phase has the noise ``sigma / |M|`` (rad) of Gudbjartsson and Patz 1995, Magn Reson Med 34:910,
    doi:10.1002/mrm.1910340618, equation 4, one echo's field that over ``2 pi gamma B0 TE``, and the mean of echoes that
    is weighted by one over each variance, as in Robinson et al. 2017, NMR Biomed 30:e3601, doi:10.1002/nbm.3601,

        ``sigma_b = sigma / (2 pi gamma B0 sqrt(sum_e |M_e|^2 TE_e^2))``.

    A fit with an offset of the phase as well has more.

    Args:
        magnitude: ``(..., e, x, y, z)``, its echoes before the three spatial axes.
        noise: standard deviation of the real and of the imaginary part of the signal, in units of the magnitude.
        echo_times: s, ``(e,)``.
        b0: T.

    Returns:
        ppm, ``(..., x, y, z)``; infinity where there is no signal.
    """
    radians = echo_times.to(magnitude) * units_per_ppm("rad", b0, 1.0)
    return noise / (magnitude * radians[:, None, None, None]).square().sum(-4).sqrt()


def _eroded(mask: Tensor) -> Tensor:
    return 1 - F.max_pool3d(1 - mask, 2 * DEPTH + 1, 1, DEPTH)


def _high_frequencies(shape: tuple[int, ...]) -> Tensor:
    """Return a high pass that falls again towards the highest frequency, where a kernel of oblique B0 jumps."""
    high = (gradient_power(shape, torch.ones(1, 3)) / 12) ** 2
    x, y, z = ((torch.pi * torch.fft.fftfreq(n)).cos().abs().sqrt() for n in shape)
    return high * x[:, None, None] * y[:, None] * z


def _quiet_power(images: Tensor, counted: list[Tensor]) -> Tensor:
    """Return the mean square of small boxes, where it is small within each mask."""
    powers = F.avg_pool3d(images**2, BOX, 1, BOX // 2)
    return torch.stack([quantile(power[mask > 0], QUIET_SHARE) for power, mask in zip(powers, counted, strict=True)])
