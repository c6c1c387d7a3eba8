"""The zero of susceptibility: the mean of a region, such as fluid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .load_masks import require_labels
from .mask_position import check_mask_belongs
from .volume_grids import resample_to

REFERENCE = "reference"
"""Key at which it is told what is zero."""


class ReferToRegiond(MapTransform):
    """Make the mean in a region zero, within the mask; without a region maps pass unchanged.

    Args:
        keys: of maps ``(1, x, y, z)`` on the grid of the mask.
        region: path of a mask of the region, which is read at once and resampled with nearest neighbor; None for none.
        mask_key: of the mask of the brain.

    Raises:
        InputError: if the file cannot be used or is no mask; when called, if its header does not fit the image, or
            nothing of the region lies within the mask.
    """

    def __init__(self, keys: KeysCollection, region: str | Path | None = None, mask_key: str = "brain") -> None:
        super().__init__(keys)
        self.region = None if region is None else read_volume(region, allow_constant=True)
        self.mask_key = mask_key
        if self.region is not None:
            self.file = Path(self.region.meta["filename_or_obj"])
            require_labels(self.file, self.region.as_tensor(), "give a mask that is 1 within the region, 0 around it")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shift the map at every key."""
        out = dict(data)
        if self.region is None:
            return out
        mask = out[self.mask_key] > 0
        check_mask_belongs(self.region, mask)
        inside = (resample_to(self.region, mask, mode="nearest").as_tensor() > 0).to(mask.device) & mask.as_tensor()
        if not inside.any():
            problem = "no voxel of the region lies within the mask of the brain"
            raise InputError.at(self.file, problem, "give a region on the grid of the image")
        for key in self.key_iterator(out):
            found = out[key]
            out[key] = (found - found[inside.to(found.device)].mean()) * mask.as_tensor().to(found.device)
        out[REFERENCE] = f"mean over {self.file.name} within the mask is 0"
        return out
