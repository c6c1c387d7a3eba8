"""What the field still says after a classical inversion, as further channels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from ..operators.field_consistency import descent_of_field_error


class AppendFieldErrord(MapTransform):
    """Append to field and classical map the error of the map's field, brought to where its sources are, and the noise.

    The third channel is :func:`descent_of_field_error`, the fourth the standard deviation of the field's noise; both in
    ppm and zero outside of the mask. Takes ``voxel_size`` (mm) and ``b0_direction`` (voxel axes) as
    :class:`LoadLocalFieldd` adds them, and ``noise`` as :class:`AppendInversiond` does.

    Args:
        keys: of images ``(2, x, y, z)``, field and map (ppm); those of one channel, without a map, stay as they are.
        mask_key: of the mask.
        noise_key: of the noise (ppm): a number, or ``(1, x, y, z)``.
    """

    def __init__(self, keys: KeysCollection = "image", mask_key: str = "mask", noise_key: str = "noise") -> None:
        super().__init__(keys)
        self.mask_key = mask_key
        self.noise_key = noise_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Append both channels to the image at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            if len(out[key]) > 1:
                out[key] = torch.cat([out[key], *self._channels(out, key)])
        return out

    def _channels(self, data: Mapping[Hashable, Any], key: Hashable) -> tuple[Tensor, Tensor]:
        image, mask = (torch.as_tensor(data[k]).as_subclass(Tensor).float() for k in (key, self.mask_key))
        field, chi, support = image[None, :1], image[None, 1:2], mask[None]
        with torch.no_grad():
            error = descent_of_field_error(chi, field, support, data["voxel_size"], data["b0_direction"])[0]
        return error, torch.as_tensor(data[self.noise_key]).as_subclass(Tensor).to(mask) * mask
