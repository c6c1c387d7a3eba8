"""Intensities mapped to 0..1, and back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

RANGE = "intensity_range"  # in the meta of an image: its minimum and maximum before


class ScaleToUnitRanged(MapTransform):
    """Map the minimum of a whole image to 0 and its maximum to 1, and note both in its ``meta``.

    What is made of the image later, even on another grid, can be brought back by :class:`RestoreIntensityRanged`. An
    image of one value becomes 0.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale the MetaTensor at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            image: MetaTensor = out[key]
            low, high = float(image.min()), float(image.max())
            out[key] = (image - low) / (high - low if high > low else 1.0)
            out[key].meta[RANGE] = np.array([low, high if high > low else low + 1.0])
        return out


class RestoreIntensityRanged(MapTransform):
    """Undo what :class:`ScaleToUnitRanged` did to another image.

    Args:
        keys: of images from 0 to 1.
        source_key: of the image whose ``meta`` knows the range.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: when called, if the source was not scaled.
    """

    def __init__(self, keys: KeysCollection, source_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Bring every key to the intensities of the source's file."""
        out = dict(data)
        meta = cast(MetaTensor, out[self.source_key]).meta
        if RANGE not in meta:
            raise ValueError(f"{self.source_key} was not scaled by ScaleToUnitRanged")
        low, high = (float(value) for value in meta[RANGE])
        for key in self.key_iterator(out):
            out[key] = out[key] * (high - low) + low
        return out
