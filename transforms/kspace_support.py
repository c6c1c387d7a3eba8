"""How far the k-space of an image was measured, before it is called fully sampled."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..operators.fourier import image_to_kspace
from ..operators.kspace_support import kspace_support
from .slices_last import across_slices

logger = logging.getLogger(__name__)


class KspaceSupportd(MapTransform):
    """Find beyond which share of its k-space an image was filled with zeros, see :func:`kspace_support`.

    One line of the log tells it where there is such a share. A mask of the brain fills k-space with its sharp border,
    so that nothing can be told of what is masked already, nor of less than 64 pixels along an axis.

    Args:
        keys: of stacks of slices; where there are several, the first one is looked at.
        support_key: where the shares along y and x go, a tuple of two numbers; 1 for all of k-space.
        allow_missing_keys: do nothing where there is no image.
        of_volumes: images are volumes ``(c, x, y, z)`` of a file, of which the first channel is looked at, and the
            shares those along the axes of its planes; not stacks ``(1, slice, y, x)``. They are meant to be cropped
            then, by :class:`CropKspaced`.
        axis: of volumes, across their planes; None as in :class:`SlicesLast`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        support_key: str = "support",
        allow_missing_keys: bool = False,
        of_volumes: bool = False,
        axis: int | None = None,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.support_key = support_key
        self.of_volumes = of_volumes
        self.axis = axis

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the support of what is at the first key."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        image = out[first]
        stack = image
        if self.of_volumes:
            axis = across_slices(image) if self.axis is None else self.axis
            stack = image[:1].movedim(1 + axis, 1)
        shares = kspace_support(image_to_kspace(stack))
        if min(shares) < 1:
            name = getattr(image, "meta", {}).get("filename_or_obj", first)
            told = "%s: its k-space is empty beyond %.2f (y) and %.2f (x) of the way, and undersampled up to there"
            if self.of_volumes:
                told = (
                    "%s: it was interpolated, as its k-space is empty beyond %.2f and %.2f of the way along the axes "
                    "of its planes; pixels as they were acquired are taken for the high resolution"
                )
            logger.log(logging.WARNING if self.of_volumes else logging.INFO, told, name, *shares)
        out[self.support_key] = shares
        return out
