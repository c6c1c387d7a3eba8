"""Masks of where there is something in an image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type
from skimage.filters import threshold_otsu
from torch import Tensor


class ForegroundMaskFromImaged(MapTransform):
    """Make a mask of an image: the case's own mask where it has one of that size, else a threshold after Otsu 1979.

    Otsu's threshold (doi:10.1109/TSMC.1979.4310076) is for the logarithm of intensities, so that it parts background
    from tissue and not dark from bright tissue. For images without skull that is the brain, for others the head.

    Args:
        keys: of images ``(1, *spatial)``, not negative.
        output_key: where the mask ``(1, *spatial)`` of 0 and 1, float32, goes.
        mask_key: of the loaded mask.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(
        self, keys: KeysCollection, output_key: str = "brain", mask_key: str = "mask", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_key = output_key
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the mask."""
        out = dict(data)
        for key in self.key_iterator(out):
            mask = _mask(out.get(self.mask_key), out[key].as_subclass(Tensor))
            out[self.output_key] = convert_to_dst_type(mask, out[key])[0]
        return out


def _mask(mask: Any, image: Tensor) -> Tensor:
    if isinstance(mask, Tensor) and mask.ndim == image.ndim:
        inside = mask.as_subclass(Tensor) > 0  # the truth was cropped at the end of its axes
        return inside[tuple(slice(n) for n in image.shape)].float()
    contrast = torch.log(image.clamp(min=0) + 0.01)
    return (contrast > float(threshold_otsu(contrast.cpu().numpy()))).float()
