"""An image and its reference, of one shape and in double precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Volume = NDArray[np.float64]
Mask = NDArray[np.bool_]


def as_pair(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> tuple[Volume, Volume, Mask]:
    """Return both images in float64, and where the mask is not zero: everywhere if it is None.

    Raises:
        ValueError: for shapes that differ.
    """
    x, t = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    inside = np.ones(t.shape, bool) if mask is None else np.asarray(mask) != 0
    if not x.shape == t.shape == inside.shape:
        raise ValueError(f"shapes differ: prediction {x.shape}, truth {t.shape}, mask or labels {inside.shape}")
    return x, t, inside


def masked_pair(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> tuple[Volume, Volume]:
    """Return both images in float64, zero outside of the mask.

    Raises:
        ValueError: for shapes that differ.
    """
    x, t, inside = as_pair(prediction, truth, mask)
    return x * inside, t * inside


def demeaned_pair(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> tuple[Volume, Volume, Mask]:
    """Return both images in float64 minus their means inside of the mask, and the mask.

    Raises:
        ValueError: for shapes that differ, or an empty mask.
    """
    x, t, inside = as_pair(prediction, truth, mask)
    if not inside.any():
        raise ValueError("mask must not be empty")
    return x - x[inside].mean(), t - t[inside].mean(), inside
