"""k-space whose images have the pixels that the scanner reconstructs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .input_error import InputError
from .kspace import MIN_SIZE, Kspace

logger = logging.getLogger(__name__)

MAX_SIZE = 4096
PIXEL_TOLERANCE = 0.005  # of the size of pixels


def with_reconstructed_pixels(path: Path | str, kspace: Kspace) -> Kspace:
    """Fill k-space with zeros, or cut it, so that its images have the pixels of the reconstruction.

    An image of ``n`` samples over a field of view L has pixels of ``L / n``; with pixels of size d it takes ``L / d``
    samples, where a difference of less than one does not count. Of these images the reconstruction is the center,
    ``recon_matrix``. Where no field of view is told, pixels are as encoded, unless ``recon_matrix`` is larger.

    Samples that are added count as measured: as at the scanner, nothing but zero is known there, and nothing is to be
    made up. The scale of the images stays what it is.

    Args:
        path: named in warnings.
        kspace: its attributes tell ``recon_matrix``, ``voxel_size`` and ``encoded_field_of_view``, if they are known.

    Raises:
        InputError: if there would be very few or many samples, as when fields of view are of different units.
    """
    old = kspace.data.shape[-2:]
    new = _sizes(path, kspace)
    if new == old:
        return kspace
    scale = np.float32(np.sqrt(np.prod(new) / np.prod(old)))
    mask = np.broadcast_to(kspace.mask, (*kspace.mask.shape[:2], *old))
    return replace(kspace, data=_resized(kspace.data * scale, new, 0), mask=_resized(mask, new, True))


def _sizes(path: Path | str, kspace: Kspace) -> tuple[int, ...]:
    old, attributes = kspace.data.shape[-2:], kspace.attributes
    if "encoded_field_of_view" not in attributes:
        return tuple(max(pair) for pair in zip(old, attributes.get("recon_matrix", old), strict=True))
    lengths, pixels = attributes["encoded_field_of_view"], attributes["voxel_size"][:2]
    exact = [length / pixel for length, pixel in zip(lengths, pixels, strict=True)]
    found = tuple(n if abs(n - m) < 1 else round(m) for n, m in zip(old, exact, strict=True))
    if min(found) < MIN_SIZE or max(found) > MAX_SIZE:
        problem = f"a field of view of {_told(lengths)} mm in k-space and pixels of {_told(pixels)} mm"
        raise InputError.at(path, problem, "check the fields of view in its header (mm)")
    if any(abs(n - m) > PIXEL_TOLERANCE * n for n, m in zip(exact, found, strict=True)):
        made = _told([length / n for length, n in zip(lengths, found, strict=True)])
        logger.warning("%s: its images have pixels of %s mm, not %s mm as its header tells", path, made, _told(pixels))
    return found


def _told(sizes: Sequence[float]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)


def _resized(array: NDArray[Any], sizes: Sequence[int], value: complex) -> NDArray[Any]:
    """Pad or cut the last axes around their centers, index ``n // 2``."""
    for axis, size in zip((-2, -1), sizes, strict=True):
        n = array.shape[axis]
        before = size // 2 - n // 2
        after = size - n - before
        kept = np.arange(max(-before, 0), n + min(after, 0))
        widths = [(0, 0)] * array.ndim
        widths[axis] = (max(before, 0), max(after, 0))
        array = np.pad(np.take(array, kept, axis), widths, constant_values=value)
    return array
