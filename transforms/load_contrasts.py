"""Load the contrasts of one head onto the grid of one of them, and what belongs to it."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, SpatialResample
from numpy.typing import NDArray

from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .registration import register_rigid

logger = logging.getLogger(__name__)

GRID_TOLERANCE = 1e-3  # mm, or mm per voxel: headers written by different programs differ by that much
MIN_OVERLAP = 0.5  # of the reference's foreground


class LoadContrastsd(MapTransform):
    """Load one image per contrast, resample them to the reference's grid, and stack them as channels.

    The value at a key is a list of paths in the order of ``contrasts``, a dictionary from contrast to path,
    or one path like ``sub-01_FLAIR.nii.gz`` beside which ``sub-01_T1w.nii.gz`` etc. are found (a MONAI
    Label server hands over one path only). It becomes a float32 MetaTensor ``(n_contrasts, x, y, z)`` with
    affine, header and file name of the reference. Its ``meta`` has ``motion``, ``(n_contrasts, 4, 4)``: the
    world matrices (RAS, mm) by which contrasts were moved, and ``sources``, the paths joined by newlines.

    Args:
        keys: of the paths.
        contrasts: BIDS suffixes, in the order of the channels.
        reference: the contrast that gives the grid.
        register: align every other contrast rigidly before resampling.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if ``reference`` is not one of ``contrasts``.
        InputError: if a contrast is missing or unusable (see :func:`read_volume`), does not overlap with the
            reference, or is empty where that is; an overlap with less than half of its foreground is a warning in the
            log.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"),
        reference: str = "FLAIR",
        register: bool = False,
        allow_nan: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if reference not in contrasts:
            raise ValueError(f"reference must be one of contrasts, got {reference=}, {contrasts=}")
        self.contrasts = tuple(contrasts)
        self.reference = reference
        self.register = register
        self.allow_nan = allow_nan

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path or paths at every key by one image."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.load(contrast_paths(out[key], self.contrasts))
        return out

    def load(self, paths: Mapping[str, Path]) -> MetaTensor:
        """Load ``paths`` (contrast to path) as ``(n_contrasts, x, y, z)``."""
        images = {name: read_volume(path, allow_nan=self.allow_nan) for name, path in paths.items()}
        images[self.reference] = reference = self._on_grid(images[self.reference])
        channels, motions = [], []
        for name in self.contrasts:
            aligned, motion = self._align(images[name], reference, name)
            channels.append(aligned.as_tensor())
            motions.append(motion)
        added = {"motion": np.stack(motions), "sources": "\n".join(map(str, paths.values()))}
        return MetaTensor(torch.cat(channels), meta=reference.meta | added)

    def _on_grid(self, reference: MetaTensor) -> MetaTensor:
        """Put the reference on the grid of the result: its own."""
        return reference

    def _align(self, image: MetaTensor, reference: MetaTensor, name: str) -> tuple[MetaTensor, NDArray[Any]]:
        motion = np.eye(4)
        if self.register and image is not reference:
            found = register_rigid(image, reference)
            logger.info("%s registered to %s: %s", name, self.reference, found)
            image, motion = found.apply(image), found.matrix
        self._check_overlap(image, reference)
        aligned = resample_to(image, reference)
        if aligned.min() == aligned.max():
            raise InputError.at(
                image.meta["filename_or_obj"], f"is empty where the {self.reference} image is", self._remedy()
            )
        return aligned, motion

    def _remedy(self) -> str:
        return "check their headers" + ("" if self.register else ", or align them with --register")

    def _check_overlap(self, image: MetaTensor, reference: MetaTensor) -> None:
        overlap = covered_fraction(reference, image)
        place = image.meta["filename_or_obj"]
        if overlap == 0:
            remedy = self._remedy()
            raise InputError.at(place, f"does not overlap with the {self.reference} image", remedy)
        if overlap < MIN_OVERLAP:
            message = "%s: overlaps with only %.0f %% of the %s image's foreground; consider --register"
            logger.warning(message, place, 100 * overlap, self.reference)


class LoadLabeld(MapTransform):
    """Load an integer mask as uint8 ``(1, x, y, z)`` and check that it lies on the image's grid.

    Args:
        keys: of the paths of masks.
        image_key: of the image loaded before.
        allow_missing_keys: skip keys that are not there.

    Raises:
        InputError: if shape or affine differ from the image's, or values are not integers from 0 to 255.
    """

    def __init__(
        self, keys: KeysCollection = "label", image_key: str = "image", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path at every key by a mask."""
        out = dict(data)
        for key in self.key_iterator(out):
            path, image = out[key], out[self.image_key]
            label = read_volume(path, allow_constant=True)
            _check_same_grid(path, label, image)
            values = label.as_tensor()
            if not torch.equal(values, values.round().clamp(0, 255)):
                problem = f"values from {values.min():g} to {values.max():g} are not all integers from 0 to 255"
                raise InputError.at(path, problem, "give a mask")
            out[key] = _like(label, values, image)
        return out


class ApplyBrainMaskd(MapTransform):
    """Set the image to zero outside of a brain mask; does nothing for cases without one.

    A mask on another grid is resampled with nearest neighbor. The loaded mask replaces its path.

    Args:
        keys: of loaded images.
        mask_key: of the path of the mask.

    Raises:
        InputError: if the mask is empty on the image's grid.
    """

    def __init__(self, keys: KeysCollection = "image", mask_key: str = "mask") -> None:
        super().__init__(keys)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Mask the image at every key."""
        out = dict(data)
        if out.get(self.mask_key) is None:
            return out
        path = out[self.mask_key]
        mask = read_volume(path, allow_constant=True)
        for key in self.key_iterator(out):
            inside = resample_to(mask, out[key], mode="nearest").as_tensor() > 0
            if not inside.any():
                raise InputError.at(path, "no voxel of the mask lies on the image's grid", "give its brain mask")
            out[key] = out[key] * inside
            out[self.mask_key] = _like(mask, inside, out[key])
        return out


def contrast_paths(value: Any, contrasts: Sequence[str]) -> dict[str, Path]:
    """Name one path per contrast, from a list, a dictionary, or one path with siblings.

    Raises:
        InputError: if a contrast is missing.
    """
    if isinstance(value, Mapping):
        if missing := [name for name in contrasts if name not in value]:
            raise InputError.at("image", f"no {', '.join(missing)} given", "give every contrast, --image NAME=FILE")
        return {name: Path(value[name]) for name in contrasts}
    paths = [value] if isinstance(value, (str, Path)) else list(value)
    if len(paths) == 1 and len(contrasts) > 1:
        return _siblings(Path(paths[0]), contrasts)
    if len(paths) != len(contrasts):
        listed = ", ".join(map(str, paths))
        remedy = f"give one file per contrast, in the order {', '.join(contrasts)}"
        raise InputError.at(listed, f"{len(paths)} images for {len(contrasts)} contrasts", remedy)
    return dict(zip(contrasts, map(Path, paths), strict=True))


def same_grid(image: MetaTensor, other: MetaTensor, tolerance: float = GRID_TOLERANCE) -> bool:
    """Tell whether spatial shapes are equal and affines differ by no more than ``tolerance`` (mm)."""
    close = np.allclose(image.affine.numpy(), other.affine.numpy(), rtol=0, atol=tolerance)
    return image.shape[1:] == other.shape[1:] and close


def covered_fraction(image: MetaTensor, other: MetaTensor) -> float:
    """Tell which part of the foreground of ``image`` (above its mean) is within the grid of ``other``."""
    values = image.as_tensor()[0]
    voxels = torch.nonzero(values > values.mean()).numpy()
    matrix = np.linalg.solve(other.affine.numpy(), image.affine.numpy())
    indices = voxels @ matrix[:3, :3].T + matrix[:3, 3]
    inside = (indices >= -0.5) & (indices <= np.array(other.shape[1:]) - 0.5)
    return float(inside.all(axis=1).mean())


def resample_to(image: MetaTensor, reference: MetaTensor, mode: str = "bilinear") -> MetaTensor:
    """Resample ``image`` by the affines to the grid of ``reference``, if it is another; zero outside."""
    if same_grid(image, reference):
        return image
    resample = SpatialResample(mode=mode, padding_mode="zeros")
    out = resample(image, dst_affine=reference.affine, spatial_size=reference.shape[1:])
    return cast(MetaTensor, out)


def _siblings(path: Path, contrasts: Sequence[str]) -> dict[str, Path]:
    stem, dot, extension = path.name.partition(".")
    own = next((name for name in contrasts if stem.endswith(f"_{name}")), None)
    if own is None:
        remedy = f"end its name with one of {', '.join('_' + name for name in contrasts)}, or give every contrast"
        raise InputError.at(path, "one file, whose name does not tell its contrast", remedy)
    paths = {name: path.with_name(f"{stem.removesuffix(own)}{name}{dot}{extension}") for name in contrasts}
    if missing := [name for name, sibling in paths.items() if not sibling.exists()]:
        problem = f"no {', '.join(missing)} image beside it"
        raise InputError.at(path, problem, f"add {', '.join(paths[name].name for name in missing)}")
    return paths


def _like(mask: MetaTensor, values: torch.Tensor, image: MetaTensor) -> MetaTensor:
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
