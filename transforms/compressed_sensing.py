"""Compressed sensing: k-space filled so that its image has little total variation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..operators.compressed_sensing import CompressedSensingSolver


class CompressedSensingKspaced(MapTransform):
    """Fill what is not measured in k-space, in place, by :class:`CompressedSensingSolver`.

    Args:
        keys: of undersampled k-space.
        mask_key: True where there are samples.
        is_enabled: does nothing otherwise.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`CompressedSensingSolver`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "sampled",
        is_enabled: bool = True,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.is_enabled = is_enabled
        self.transform = CompressedSensingSolver(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what is at every key; its metadata stay."""
        out = dict(data)
        for key in self.key_iterator(out) if self.is_enabled else ():
            filled = self.transform(out[key], out[self.mask_key])
            out[key] = out[key].clone().copy_(filled)
        return out
