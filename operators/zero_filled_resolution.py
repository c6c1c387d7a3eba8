"""Images of low resolution on their fine grid."""

from __future__ import annotations

import torch
from torch import Tensor

from .kspace_truncation import Truncation, coarse_size, low_resolution_of, truncate_kspace, zero_fill_kspace

DOUBT = 0.2  # of a magnitude, by which an image must be negative for its sign to be believed; noise has small ones


def lower_resolution(image: Tensor, factor: float) -> Tensor:
    """Truncate the k-space of the last two axes, take magnitudes, and fill k-space up with zeros.

    What a scanner gives at low resolution, on the fine grid: every ``factor``-th value is one of its voxels.

    Args:
        image: real, ``(..., x, y)``.
        factor: of truncation, see :class:`TruncateKspace`.
    """
    full = image.shape[-2:]
    return zero_fill_kspace(truncate_kspace(image, coarse_size(full, (factor, factor))).abs(), full)


def agree_with_low_resolution(image: Tensor, zero_filled: Tensor, factor: float) -> Tensor:
    """Change ``image`` as little as possible so that its truncation has the magnitude that ``zero_filled`` comes from.

    ``x + A^+ (s y - A x)`` with A of :class:`Truncation` and the image of low resolution y: all samples of k-space
    beyond the truncated ones stay. y is a magnitude; where a truncated image rings below zero, in the air beside a head
    above all, its sign is lost. The image tells it: s = -1 where ``A x < -0.2 y``, and 1 elsewhere.

    Args:
        image: real, ``(..., x, y)``.
        zero_filled: from :func:`lower_resolution`, or another zero-filled image, of the same shape.
        factor: of truncation.
    """
    full = image.shape[-2:]
    truncation = Truncation(full, coarse_size(full, (factor, factor)))
    low, magnitude = truncation(image), low_resolution_of(zero_filled, truncation.size)
    signed = torch.where(low < -DOUBT * magnitude.abs(), -magnitude.abs(), magnitude)
    return image + truncation.pseudo_inverse(signed - low)
