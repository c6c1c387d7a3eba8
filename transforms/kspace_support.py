"""How far the k-space of an image was measured, before it is called fully sampled."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..operators.fourier import image_to_kspace
from ..operators.kspace_support import kspace_support

logger = logging.getLogger(__name__)


class KspaceSupportd(MapTransform):
    """Find beyond which share of its k-space an image was filled with zeros, see :func:`kspace_support`.

    One line of the log tells it where there is such a share.

    Args:
        keys: of stacks of slices; where there are several, the first one is looked at.
        support_key: where the shares along y and x go, a tuple of two numbers; 1 for all of k-space.
        allow_missing_keys: do nothing where there is no image.
        slices_last: stacks are ``(c, h, w, slice)``, of which the first channel is looked at, and not
            ``(1, slice, y, x)``. They are meant to be cropped then, by :class:`CropKspaced`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        support_key: str = "support",
        allow_missing_keys: bool = False,
        slices_last: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.support_key = support_key
        self.slices_last = slices_last

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the support of what is at the first key."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        image = out[first]
        shares = kspace_support(image_to_kspace(image[:1].movedim(-1, 1) if self.slices_last else image))
        if min(shares) < 1:
            name = getattr(image, "meta", {}).get("filename_or_obj", first)
            told = "%s: its k-space is empty beyond %.2f (y) and %.2f (x) of the way, and undersampled up to there"
            if self.slices_last:
                told = (
                    "%s: it was interpolated, as its k-space is empty beyond %.2f and %.2f of the way along the axes "
                    "of its planes; pixels as they were acquired are taken for the high resolution"
                )
            logger.log(logging.WARNING if self.slices_last else logging.INFO, told, name, *shares)
        out[self.support_key] = shares
        return out
