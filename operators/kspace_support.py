"""How far k-space was measured, and not filled with zeros."""

from __future__ import annotations

import torch
from torch import Tensor

from .fourier import AXES

SHARP = (0.2, 0.5)  # of the way to the edge, where power is taken to be that of sharp borders
N_BINS = 32
LEAST_POWER = 0.1  # of what sharp borders would have


def kspace_support(kspace: Tensor) -> tuple[float, float]:
    """Return the share of k-space, along each of the last two axes, beyond which it is empty; 1 where it is not.

    A scanner that interpolates fills the outer part of k-space with zeros. Of that a magnitude image keeps a trace, as
    magnitudes are not linear, so emptiness is relative: sharp borders have a power that falls with the second power of
    the distance along an axis, once it is averaged over the other, and k-space ends where 10 dB less than that are
    left, relative to 0.2 to 0.5 of the way, in all of the 32 bins from there on. Noise is never empty.

    Args:
        kspace: centered, ``(*, h, w)``; zero everywhere has a support of 1.
    """
    power = kspace.as_subclass(Tensor).abs().square().double()
    shares = []
    for axis in AXES:
        profile = power.movedim(axis, -1).flatten(0, -2).mean(0)
        n = len(profile)
        distance = (torch.arange(n, device=profile.device) - n // 2).abs() / max(n / 2, 1)
        bins = (distance * N_BINS).long().clamp_max(N_BINS - 1)
        counts = torch.bincount(bins, minlength=N_BINS)
        compensated = torch.bincount(bins, profile * distance.square(), N_BINS) / counts.clamp_min(1)
        places = (torch.arange(N_BINS, device=profile.device) + 0.5) / N_BINS
        typical = compensated[(places > SHARP[0]) & (places < SHARP[1]) & (counts > 0)].median()
        full = ((compensated > LEAST_POWER * typical) & (counts > 0)).nonzero()
        shares.append(float(full.max() + 1) / N_BINS if len(full) and n >= 2 * N_BINS else 1.0)
    return shares[0], shares[1]
