"""The list of lesions beside the pictures of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ....metrics import Lesion, find_lesions
from ....metrics.brain_parts import BrainParts
from ....metrics.lesion_places import UNKNOWN
from .shown_volumes import Shown, ShownGrid

GUIDES = ("T1w", "FLAIR")
"""Contrasts in which the parts of a brain are found."""


def list_lesions(
    mask: Shown, grid: ShownGrid, images: Iterable[Shown], probability: Shown | None = None, brain: Shown | None = None
) -> list[Lesion]:
    """List the lesions of ``mask``, the largest first; their places are unknown without a T1w or FLAIR."""
    guides = {image.name: image.values for image in images if image.name in GUIDES}
    others = {"probability": None if probability is None else probability.values}
    if not guides:
        nothing = np.zeros((1, 1, 1), bool)
        nowhere = BrainParts(np.eye(4), nothing, nothing, nothing)
        found = find_lesions(mask.values, grid.affine, {}, parts=nowhere, **others)
        return [replace(lesion, place=UNKNOWN) for lesion in found]
    inside = None if brain is None else brain.values
    return find_lesions(mask.values, grid.affine, guides, brain=inside, **others)
