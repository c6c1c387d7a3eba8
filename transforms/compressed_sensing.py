"""Compressed sensing: k-space filled so that its image has little total variation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from torch import Tensor

from ..operators.compressed_sensing import CompressedSensingSolver
from .keyed import KeyedTransform


class CompressedSensingKspaced(KeyedTransform):
    """Fill what is not measured in k-space by :class:`CompressedSensingSolver`; it keeps its metadata.

    Args:
        keys: of undersampled k-space.
        mask_key: True where there are samples.
        is_enabled: does nothing otherwise.
        options: see :class:`KeyedTransform`.
    """

    array = CompressedSensingSolver

    def __init__(
        self, keys: KeysCollection, mask_key: str = "sampled", is_enabled: bool = True, **options: Any
    ) -> None:
        super().__init__(keys, **options)
        self.mask_key = mask_key
        self.is_enabled = is_enabled

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the mask."""
        return {"mask": data[self.mask_key]}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Fill what is not measured."""
        return value.clone().copy_(self.transform(value, **arguments))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what is at every key."""
        return super().__call__(data) if self.is_enabled else dict(data)
