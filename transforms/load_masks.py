"""Load masks that belong to an image: labels, and the brain."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from torch import Tensor

from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .mask_position import check_mask_belongs
from .volume_grids import resample_to, same_grid

SET = (1.0, 255.0)
"""What is inside of a mask."""

MANY = 256
"""Labels that a label map has at most, with the background; FreeSurfer's whole brain has about 110."""

ROUNDING = 1e-3
"""Of values that a file stores as integers with a slope."""


class LoadLabeld(MapTransform):
    """Load a mask of 0 and 1, or 0 and 255, as uint8 ``(1, x, y, z)`` of 0 and 1, on the image's grid.

    Args:
        keys: of the paths of masks.
        image_key: of the image loaded before.
        allow_missing_keys: skip keys that are not there.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.

    Raises:
        InputError: if shape or affine differ from the image's, or there are other values.
    """

    def __init__(
        self,
        keys: KeysCollection = "label",
        image_key: str = "image",
        allow_missing_keys: bool = False,
        allow_nan: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.allow_nan = allow_nan
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path at every key by a mask."""
        out = dict(data)
        for key in self.key_iterator(out):
            path, image = out[key], out[self.image_key]
            label = read_volume(path, allow_nan=self.allow_nan, allow_constant=True)
            _check_same_grid(path, label, image)
            out[key] = _mask_on_grid(label, binary_mask(path, label.as_tensor()), image)
        return out


def binary_mask(path: Path | str, values: Tensor) -> Tensor:
    """Return where a mask of 0 and 1, or 0 and 255, is not 0; up to the rounding of files with a slope.

    Raises:
        InputError: if there are other values; names the first of them.
    """
    found = values.unique()
    highest = next((value for value in SET if (found - value).abs().min() < ROUNDING), 1.0)
    distances = torch.minimum(found.abs(), (found - highest).abs())
    if (distances < ROUNDING).all():
        return values > highest / 2
    listed = ", ".join(f"{value:g}" for value in found[:5].tolist()) + (", ..." if len(found) > 5 else "")
    raise InputError.at(path, f"holds the values {listed}, a mask has 0 and 1, or 0 and 255", "give a mask of 0 and 1")


class ApplyBrainMaskd(MapTransform):
    """Set the image to zero outside of a brain mask; does nothing for cases without one.

    A mask on another grid is resampled with nearest neighbor. The loaded mask replaces its path. A mask that has the
    shape of the image, or of one that went into it, but lies elsewhere has lost its header, see
    :func:`check_mask_belongs`.

    Args:
        keys: of loaded images.
        mask_key: of the path of the mask, or of one that was made, uint8 ``(1, x, y, z)``.

    Raises:
        InputError: if the mask is empty on the image's grid, its header does not fit, the image is zero within it, or
            it has fractions or many values, as an image has; a label map of a brain will do.
    """

    def __init__(self, keys: KeysCollection = "image", mask_key: str = "mask") -> None:
        super().__init__(keys)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Mask the image at every key."""
        out = dict(data)
        if out.get(self.mask_key) is None:
            return out
        given = out[self.mask_key]
        mask = _as_float(given) if isinstance(given, MetaTensor) else read_volume(given, allow_constant=True)
        path = mask.meta["filename_or_obj"]
        require_labels(path, mask.as_tensor())
        for key in self.key_iterator(out):
            check_mask_belongs(mask, out[key])
            inside = resample_to(mask, out[key], mode="nearest").as_tensor() > 0
            if not inside.any():
                raise InputError.at(path, "no voxel of the mask lies on the image's grid", "give its brain mask")
            out[key] = out[key] * inside
            if not out[key].any():
                remedy = "give a mask that is 1 within the brain and 0 around it"
                raise InputError.at(path, "nothing of the image lies within the mask", remedy)
            out[self.mask_key] = _mask_on_grid(mask, inside, out[key])
        return out


def require_labels(
    path: Path | str, values: Tensor, remedy: str = "give a mask that is 1 within the brain and 0 around it"
) -> None:
    """Check that values are whole numbers, and few, as those of masks and label maps are.

    Raises:
        InputError: if they are not.
    """
    found = values.unique()
    is_whole = bool(((found - found.round()).abs() < ROUNDING * found.abs().clamp_min(1.0)).all())
    if not is_whole or len(found) > MANY:
        problem = f"has {len(found)} values from {float(found[0]):g} to {float(found[-1]):g}, as an image has"
        raise InputError.at(path, problem, remedy)


def _as_float(mask: MetaTensor) -> MetaTensor:
    return MetaTensor(mask.as_tensor().float(), affine=mask.affine, meta=dict(mask.meta))


def _mask_on_grid(mask: MetaTensor, values: Tensor, image: MetaTensor) -> MetaTensor:
    """Make a mask of ``values`` with exactly the affine of ``image``."""
    out = MetaTensor(values.to(torch.uint8), meta=dict(mask.meta))
    out.affine = image.affine.clone()
    return out


def _check_same_grid(path: Path | str, label: MetaTensor, image: MetaTensor) -> None:
    if same_grid(label, image):
        return
    shapes = tuple(label.shape[1:]), tuple(image.shape[1:])
    problem = f"mask has shape {shapes[0]}, its image {shapes[1]}"
    if shapes[0] == shapes[1]:
        apart = float((label.affine - image.affine).abs().max())
        problem = f"mask and image have the shape {shapes[0]}, but affines that differ by {apart:.3g}"
    raise InputError.at(path, problem, "resample the mask to the image's grid")
