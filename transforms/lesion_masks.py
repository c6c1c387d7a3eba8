"""What transforms of lesion masks by FLAIR and T1w have in common."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..operators.b0_direction import voxel_size_from_affine
from .keyed import KeyedTransform
from .missing_contrasts import is_empty

logger = logging.getLogger(__name__)

NEIGHBORS = np.ones((3, 3, 3), bool)  # 26 of them: lesions are connected by faces, edges or corners

Mask = NDArray[np.bool_]
Image = NDArray[np.float32]


def checked_images(lesions: ArrayLike, flair: ArrayLike, t1w: ArrayLike) -> tuple[Mask, Image, Image, Mask]:
    """Return the three as arrays, and the mask of the brain, where an image is not zero.

    Raises:
        ValueError: if shapes differ.
    """
    mask, bright, anatomy = np.asarray(lesions, bool), np.asarray(flair, np.float32), np.asarray(t1w, np.float32)
    if not mask.shape == bright.shape == anatomy.shape:
        raise ValueError(f"shapes differ: lesions {mask.shape}, FLAIR {bright.shape}, T1w {anatomy.shape}")
    return mask, bright, anatomy, (bright != 0) | (anatomy != 0)


class LesionMaskd(KeyedTransform):
    """Base of transforms of lesion masks ``(1, x, y, z)`` by the contrasts of the same head.

    Masks of a head without one of the two contrasts, whose channel is zero, pass unchanged, with a warning.

    Args:
        keys: of masks.
        image_key: of the contrasts ``(c, x, y, z)`` on the same grid, with an affine.
        flair_channel: of the image.
        t1w_channel: of the image.
        options: arguments of the function that :attr:`array` makes a transform of, and of :class:`KeyedTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image_key: str = "image",
        flair_channel: int = 2,
        t1w_channel: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(keys, **options)
        self.image_key = image_key
        self.channels = {"flair": flair_channel, "t1w": t1w_channel}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform what is at every key, if both contrasts are there."""
        image = data[self.image_key]
        if any(is_empty(image, channel) for channel in self.channels.values()):
            place = getattr(image, "meta", {}).get("filename_or_obj", self.image_key)
            message = "%s: lesions pass %s as they are, which needs both T1w and FLAIR"
            logger.warning(message, place, type(self).__name__)
            return dict(data)
        return super().__call__(data)

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return both contrasts and the voxel size (mm)."""
        image = data[self.image_key]
        contrasts = {name: image[channel].cpu().numpy() for name, channel in self.channels.items()}
        return contrasts | {"spacing": voxel_size_from_affine(image.affine.numpy()).tolist()}

    def apply(self, value: Tensor, **arguments: Any) -> Tensor:
        """Return a mask of the same type."""
        mask = value.clone()
        mask[0] = torch.from_numpy(self.transform(value[0].cpu().numpy() > 0, **arguments)).to(mask.dtype)
        return mask
