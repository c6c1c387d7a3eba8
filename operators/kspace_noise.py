"""The noise of measured k-space, from its outer samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

INNER = 0.4  # of the way from the center to the edge, from where on samples count
N_RINGS, MIN_RING = 12, 16  # rings of equally many samples, and how many those have at least
EXPONENTS = (3, 4, 5, 6, 8, 10, 14)  # with which power falls: 3 for sharp borders in a plane, the more the smoother
EMPTY = 1e-13  # of the greatest power: rounding errors of what was filled with zeros


def estimate_kspace_noise(kspace: Tensor, mask: Tensor | None = None) -> Tensor:
    """Estimate the standard deviation of white noise in k-space, of the real part and of the imaginary one.

    The power of noise is the same everywhere, that of an object with sharp borders falls with the third power of the
    distance r from the center. So rings of outer samples tell both: ``P(r) = 2 sigma^2 + b r^-3``, by least squares of
    relative errors with neither below zero. P is the median power of a ring over ln 2, which is the mean of noise
    (its power is exponentially distributed), and is not moved by the streaks that straight edges make.

    Samples that are zero up to rounding do not count: they were filled in, and not measured. What an object has beyond
    ``b r^-3``, or a scan that was simulated from an image has as noise of its own, is taken for noise.

    Args:
        kspace: centered and orthonormal, complex, ``(*, h, w)``, with the same noise everywhere.
        mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.

    Returns:
        One number, in the units of ``kspace``; 0 where there are fewer than 16 samples.
    """
    magnitude = kspace.as_subclass(Tensor).abs()
    scale = magnitude.max().clamp_min(torch.finfo(magnitude.dtype).tiny)  # squares of other units are no float32
    power = (magnitude / scale).square()
    is_sampled = torch.ones_like(power, dtype=torch.bool) if mask is None else mask.as_subclass(Tensor).bool()
    is_sampled = is_sampled & (power > EMPTY * power.max())
    distance = relative_distance(power.shape[-2], power.shape[-1]).to(power).expand_as(power)
    is_outer = is_sampled & (distance > INNER)
    n_rings = min(N_RINGS, int(is_outer.sum()) // MIN_RING)
    if n_rings == 0:
        return power.new_zeros(())
    order = distance[is_outer].argsort()
    rings = list(zip(distance[is_outer][order].chunk(n_rings), power[is_outer][order].chunk(n_rings), strict=True))
    found = torch.stack([ring.median() / math.log(2) for _, ring in rings])
    distances = torch.stack([r.mean() for r, _ in rings])
    fits = [_fit(torch.stack([1 / found, distances**-exponent / found], 1)) for exponent in EXPONENTS]
    return (min(fits, key=lambda fit: fit[0])[1] / 2).sqrt() * scale


def strongest_kspace_noise(kspace: Tensor, mask: Tensor) -> Tensor:
    """Return the standard deviation, of real and imaginary part, that outer samples have with all that is in them.

    Their noise is not stronger. Arguments and units are those of :func:`estimate_kspace_noise`; infinite where there
    are fewer than 16 samples.
    """
    magnitude = kspace.as_subclass(Tensor).abs()
    distance = relative_distance(magnitude.shape[-2], magnitude.shape[-1]).to(magnitude).expand_as(magnitude)
    outer = magnitude[mask.as_subclass(Tensor).bool() & (magnitude > 0) & (distance > INNER)]
    if len(outer) < MIN_RING:
        return magnitude.new_tensor(math.inf)
    return (outer / outer.max()).square().mean().div(2).sqrt() * outer.max()


def relative_distance(height: int, width: int) -> Tensor:
    """Return the distance of the samples from the center of k-space, 1 at the middle of each edge, ``(h, w)``."""
    y = (torch.arange(height) - height // 2) / max(height / 2, 1.0)
    x = (torch.arange(width) - width // 2) / max(width / 2, 1.0)
    return (y[:, None].square() + x.square()).sqrt()


def _fit(model: Tensor) -> tuple[float, Tensor]:
    """Return the least ``|model c - 1|^2`` of two numbers c, not negative, and the first of these."""
    both = torch.linalg.lstsq(model.double(), torch.ones(len(model), 1, dtype=torch.float64)).solution[:, 0]
    alone = model.double().sum(0) / model.double().square().sum(0)
    choices = [alone * torch.tensor([1.0, 0.0]), alone * torch.tensor([0.0, 1.0])]
    choices += [both] if both.min() >= 0 else []
    errors = [float((model.double() @ choice - 1).square().sum()) for choice in choices]
    best = min(range(len(choices)), key=errors.__getitem__)
    return errors[best], choices[best][0].to(model)
