"""Contrasts that are missing in an image: channels of zeros."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from monai.data import MetaTensor
from torch import Tensor

logger = logging.getLogger(__name__)

MISSING = "missing"
"""In the ``meta`` of an image: names of the contrasts that are channels of zeros, joined by newlines."""


def missing_contrasts(image: Tensor) -> set[str]:
    """Return the names of contrasts that were missing when an image was loaded."""
    meta = image.meta if isinstance(image, MetaTensor) else {}
    return set(filter(None, str(meta.get(MISSING, "")).split("\n")))


def present_contrasts(image: Tensor, contrasts: Sequence[str]) -> list[str]:
    """Return those of the names of its channels that were not missing."""
    missing = missing_contrasts(image)
    return [name for name in contrasts if name not in missing]


def is_empty(image: Tensor, channel: int) -> bool:
    """Tell whether a channel of ``(c, *spatial)`` is zero everywhere, as that of a missing contrast is."""
    return not bool(torch.any(image[channel]))


def tell_missing(place: Path | str, missing: Sequence[str], there: Sequence[str]) -> None:
    """Tell in one line which contrasts do not come with an image, and what that means."""
    if missing:
        message = "%s: comes without %s; the result is made from %s alone, and less sure; add %s where you can"
        names = " and ".join(missing)
        logger.warning(message, place, names, " and ".join(there), names)
