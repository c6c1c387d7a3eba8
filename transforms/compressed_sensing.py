"""Compressed sensing: k-space filled so that its image has little total variation."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from time import monotonic
from typing import Any

import torch
from monai.config import KeysCollection
from torch import Tensor

from ..operators.compressed_sensing import CompressedSensingSolver
from ..operators.fourier import image_to_kspace
from ..operators.multi_coil import total_variation_of_slices
from .keyed import KeyedTransform

logger = logging.getLogger(__name__)

LONG = 10.0  # s, from which on it is told how long something takes


class CompressedSensingKspaced(KeyedTransform):
    """Fill what is not measured in k-space by :class:`CompressedSensingSolver`; it keeps its metadata.

    Where there are samples of several coils, k-space is that of the image with the least total variation which agrees
    with all of them (:func:`total_variation_of_slices`, of the options the weight alone counts), and what of it was
    sampled counts as measured.

    Args:
        keys: of undersampled k-space.
        mask_key: True where there are samples.
        noise_key: of their noise, for each slice; none where there is no such key.
        coils_key: of the samples of coils ``(coil, slice, y, x)``.
        maps_key: of their sensitivities.
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
        coils_key: str = "coils",
        maps_key: str = "coil_maps",
        **options: Any,
    ) -> None:
        super().__init__(keys, **options)
        self.mask_key = mask_key
        self.noise_key = noise_key
        self.measured_key = measured_key
        self.coils_key, self.maps_key = coils_key, maps_key
        self.is_enabled = is_enabled

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the mask and the noise."""
        return {"mask": data[self.mask_key], "noise": data.get(self.noise_key)}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Fill what is not measured."""
        return value.clone().copy_(self.transform(value, **arguments))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Fill what is at every key."""
        samples = data[self.first_key(dict(data))]
        if self.is_enabled and self.coils_key in data:
            out = dict(data)
            for key in self.key_iterator(out):
                out[key] = out[key].clone().copy_(self._of_coils(data))
            samples = out[self.first_key(out)] * data[self.mask_key]
        else:
            out = super().__call__(data) if self.is_enabled else dict(data)
        if self.measured_key is not None:
            out[self.measured_key] = samples
        return out

    def _of_coils(self, data: Mapping[Hashable, Any]) -> Tensor:
        coils, maps, mask = (data[key].as_subclass(Tensor) for key in (self.coils_key, self.maps_key, self.mask_key))
        noise = torch.as_tensor(data.get(self.noise_key, 0.0)).as_subclass(Tensor)
        start = monotonic()

        def tell(done: int, total: int) -> None:
            seconds = (monotonic() - start) * total / done
            if done == 1 < total and seconds > LONG:
                logger.info("%d slices with %d coils take about %.0f s", total, len(coils), seconds)

        weight = self.transform.weight
        return image_to_kspace(total_variation_of_slices(coils, maps, mask, noise, weight, solved=tell))
