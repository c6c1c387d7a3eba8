"""The noise of a local field, from the field alone or from the signal that it was measured with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from .b0_direction import Vector
from .dipole import SPATIAL, dipole_kernel, fast_shape, filter_kspace
from .field_units import units_per_ppm
from .gradient import gradient_power

CONE_WIDTH = 0.1  # of the dipole's values, at most 2/3, that are taken for none
LEAST_SHARE = 0.1  # of the variance in the cone that is noise
DEPTH = 3  # voxels of the mask's border that do not count
MIN_VOXELS = 100
MAD_OF_NORMAL = 0.6745  # median absolute deviation of the standard normal distribution


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
    let pass is taken from medians of absolute values within the mask, which do not heed veins.

    The noise has to be white. A field that was interpolated, zero-filled or smoothed has less of it at high frequencies
    than elsewhere, and the estimate is too low, in the limit zero.

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
    kernel = kernel.reshape(-1, 1, *shape)
    high = _high_frequencies(shape).to(field)
    variances, shares = [], []
    for response in (high * torch.exp(-((kernel / CONE_WIDTH) ** 2) / 2), high.expand_as(kernel)):
        power = (response**2).mean(SPATIAL).flatten()
        variances.append(_robust_variance(filter_kspace(field * inside, response), counted) / power)
        shares.append((response**2 * kernel**2).mean(SPATIAL).flatten() / power)
    noise = (shares[1] * variances[0] - shares[0] * variances[1]) / (shares[1] - shares[0])
    return torch.maximum(noise, LEAST_SHARE * variances[0]).sqrt()


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


def _robust_variance(images: Tensor, counted: list[Tensor]) -> Tensor:
    medians = [image[mask > 0].abs().median() for image, mask in zip(images, counted, strict=True)]
    return (torch.stack(medians) / MAD_OF_NORMAL) ** 2
