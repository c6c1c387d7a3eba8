"""Images of low resolution on their fine grid."""

from __future__ import annotations

from torch import Tensor

from .kspace_truncation import Truncation, coarse_size, low_resolution_of, truncate_kspace, zero_fill_kspace


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
    """Change ``image`` as little as possible so that its truncation is the low resolution of ``zero_filled``.

    ``x + A^+ (y - A x)`` with A of :class:`Truncation`: exact in k-space, all other samples stay.

    Args:
        image: real, ``(..., x, y)``.
        zero_filled: from :func:`lower_resolution`, or another zero-filled image, of the same shape.
        factor: of truncation.
    """
    full = image.shape[-2:]
    truncation = Truncation(full, coarse_size(full, (factor, factor)))
    missing = low_resolution_of(zero_filled, truncation.size) - truncation(image)
    return image + truncation.pseudo_inverse(missing)
