"""k-space of two-dimensional slices, as all readers return it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .input_error import InputError

AXES = "(slice, [coil,] y, x)"
MIN_SIZE = 16  # of y and x; less is rather an axis of coils or slices


@dataclass(frozen=True)
class Kspace:
    """Centered Cartesian k-space of a stack of slices.

    Attributes:
        data: complex64, ``(slice, coil, y, x)``, zero where nothing was measured; with the orthonormal Fourier
            transform, images have the same scale.
        mask: True is sampled, ``(slice or 1, coil or 1, y or 1, x or 1)``.
        attributes: what else the file tells, such as ``acquisition`` or ``recon_matrix`` (y, x).
    """

    data: NDArray[np.complex64]
    mask: NDArray[np.bool_]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sampled_fraction(self) -> float:
        """Share of True in the mask."""
        return float(self.mask.mean())


def checked_kspace(
    path: Path | str, data: ArrayLike, mask: ArrayLike | None, attributes: Mapping[str, Any] | None = None
) -> Kspace:
    """Check k-space and mask that come from outside, and bring them into the shapes of :class:`Kspace`.

    Args:
        path: named in errors.
        data: ``(slice, y, x)`` or ``(slice, coil, y, x)``.
        mask: ``(x,)``, ``(y, x)``, ``(slice, y, x)`` or of four axes, broadcastable; the columns that hold anything
            where it is None.
        attributes: passed on.

    Raises:
        InputError: if k-space is real, has other or very short axes, NaN or Inf, is zero everywhere or not centered, or
            if the mask has another shape, other values than 0 and 1, or disagrees with k-space.
    """
    kspace = _checked_data(path, np.asarray(data))
    columns = np.asarray(kspace.any((0, 1, 2), keepdims=True))
    sampled = columns if mask is None else _checked_mask(path, np.asarray(mask), kspace)
    return Kspace(kspace, sampled, dict(attributes or {}))


def _checked_data(path: Path | str, data: NDArray[Any]) -> NDArray[np.complex64]:
    if not np.iscomplexobj(data):
        raise InputError.at(path, f"k-space is {data.dtype}, not complex", "give real + 1j * imaginary part")
    if data.ndim not in (3, 4) or 0 in data.shape or min(data.shape[-2:]) < MIN_SIZE:
        raise InputError.at(path, f"k-space has shape {data.shape}", f"give axes {AXES}")
    with np.errstate(over="ignore", invalid="ignore"):
        kspace = (data if data.ndim == 4 else data[:, None]).astype(np.complex64)
    n_bad = int((~np.isfinite(kspace)).sum())
    if n_bad:
        raise InputError.at(path, f"{n_bad} of {kspace.size} samples are NaN or Inf", "repair k-space")
    if not kspace.any():
        raise InputError.at(path, "k-space is zero everywhere", "check how it was exported")
    strongest = np.abs(kspace).max((0, 1))
    peak, sizes = np.unravel_index(int(strongest.argmax()), strongest.shape), strongest.shape
    if not all(n // 4 <= index <= n - 1 - (n - 1) // 4 for index, n in zip(peak, sizes, strict=True)):
        place = f"the largest sample is at ({peak[0]}, {peak[1]}) of {sizes[0]} x {sizes[1]}, not near the center"
        raise InputError.at(path, f"k-space is not centered: {place}", f"give axes {AXES}, after fftshift of y and x")
    return kspace


def _checked_mask(path: Path | str, mask: NDArray[Any], kspace: NDArray[np.complex64]) -> NDArray[np.bool_]:
    full = mask[:, None] if mask.ndim == 3 else mask.reshape((1,) * max(4 - mask.ndim, 0) + mask.shape)
    if full.ndim != 4 or any(n not in (1, size) for n, size in zip(full.shape, kspace.shape, strict=True)):
        problem = f"mask {mask.shape} does not fit k-space {kspace.shape}"
        raise InputError.at(path, problem, "give a mask (x), (y, x) or (slice, y, x) of the same size")
    if not np.isin(full, (0, 1)).all():
        raise InputError.at(path, "the mask has values other than 0 and 1", "give True where k-space is sampled")
    sampled = full.astype(bool)
    if not sampled.any():
        raise InputError.at(path, "the mask is empty", "give True where k-space is sampled")
    is_measured = kspace != 0
    n_outside = int((is_measured & ~sampled).sum())
    if n_outside:
        problem = f"mask and k-space disagree: {n_outside} samples are not zero where the mask is False"
        raise InputError.at(path, problem, "give the mask of this k-space, or set these samples to zero")
    share = is_measured.sum() / np.broadcast_to(sampled, kspace.shape).sum()
    if share < 0.5:
        problem = f"mask and k-space disagree: {100 * (1 - share):.0f} % of the samples are zero where it is True"
        raise InputError.at(path, problem, "give the mask of this k-space")
    return sampled
