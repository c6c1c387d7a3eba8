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
        noise_key: of their noise, for each slice; none where there is no such key.
        measured_key: where the samples go as they came in; nowhere where it is None.
        is_enabled: fills nothing otherwise.
        options: see :class:`KeyedTransform`.
    """

    array = CompressedSensingSolver

    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "sampled",
        is_enabled: bool = True,
        noise_key: str = "kspace_noise",
        measured_key: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(keys, **options)
        self.mask_key = mask_key
        self.noise_key = noise_key
        self.measured_key = measured_key
        self.is_enabled = is_enabled

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the mask and the noise."""
        return {"mask": data[self.mask_key], "noise": data.get(self.noise_key)}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Fill what is not measured."""
        return value.clone().copy_(self.transform(value, **arguments))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what is at every key."""
        out = super().__call__(data) if self.is_enabled else dict(data)
        if self.measured_key is not None:
            out[self.measured_key] = data[self.first_key(dict(data))]
        return out
