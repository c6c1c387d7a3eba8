"""Results of super-resolution that are far brighter than what they were made from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

LIMIT = 1.5  # times the brightest neighbor; crops of real heads stay below 1.3
DARK = 0.05  # of the range of intensities, below which neighbors are as good as that
REACH = 1  # voxels of the input to each side


class LimitOvershootd(MapTransform):
    """Clip each voxel to one and a half times the brightest of its neighbors in the input; others stay as they are.

    Where a crop cuts through bright tissue, a network lacks the neighbors that would hold it back.

    Args:
        keys: of results ``(1, x, y, z)``, from 0 to 1, on the grid of the image or a finer one of the same extent.
        image_key: of the input.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(self, keys: KeysCollection, image_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Clip what is at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            image = out[self.image_key].as_subclass(Tensor)[None].to(out[key].device)
            brightest = F.max_pool3d(image, 2 * REACH + 1, stride=1, padding=REACH)
            fine = F.interpolate(brightest, out[key].shape[1:], mode="nearest")[0]
            out[key] = torch.minimum(out[key], LIMIT * fine.clamp(min=DARK).to(out[key].dtype))
        return out
