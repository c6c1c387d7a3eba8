"""The zero of susceptibility: the mean of a region, such as fluid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .volume_grids import resample_to

REFERENCE = "reference"
"""Key at which it is told what is zero."""


class ReferToRegiond(MapTransform):
    """Make the mean in a region zero, within the mask; without a region maps pass unchanged.

    Args:
        keys: of maps ``(1, x, y, z)`` on the grid of the mask.
        region: path of a mask of the region, which is resampled with nearest neighbor; None for none.
        mask_key: of the mask of the brain.

    Raises:
        InputError: if the file cannot be used, or nothing of the region lies within the mask.
    """

    def __init__(self, keys: KeysCollection, region: str | Path | None = None, mask_key: str = "brain") -> None:
        super().__init__(keys)
        self.region = region
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shift the map at every key."""
        out = dict(data)
        if self.region is None:
            return out
        mask, region = out[self.mask_key] > 0, read_volume(self.region, allow_constant=True)
        inside = (resample_to(region, mask, mode="nearest").as_tensor() > 0).to(mask.device) & mask.as_tensor()
        if not inside.any():
            problem = "no voxel of the region lies within the mask of the brain"
            raise InputError.at(self.region, problem, "give a region on the grid of the image")
        for key in self.key_iterator(out):
            found = out[key]
            out[key] = (found - found[inside.to(found.device)].mean()) * mask.as_tensor().to(found.device)
        out[REFERENCE] = f"mean over {Path(self.region).name} within the mask is 0"
        return out
