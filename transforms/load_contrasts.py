"""Load the contrasts of one head onto the grid of one of them."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from torch import Tensor

from ..datasets.contrast_files import contrast_paths, names_to_leave_out
from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .alignment import ALIGNMENT, Alignment, Register, align, as_json
from .images_in_memory import contrasts_in_memory
from .intensity_faults import repair_intensities
from .mask_position import GRIDS, grids_of
from .missing_contrasts import MISSING, tell_missing
from .plausible_contrasts import warn_of_images, warn_of_swaps, warn_of_thick_voxels
from .volume_grids import check_overlap, resample_to

logger = logging.getLogger(__name__)


class LoadContrastsd(MapTransform):
    """Load one image per contrast, resample them to the reference's grid, and stack them as channels.

    The value at a key is a list of paths in the order of ``contrasts``, a dictionary from contrast to path,
    or one path like ``sub-01_FLAIR.nii.gz`` beside which ``sub-01_T1w.nii.gz`` etc. are found (a MONAI
    Label server hands over one path only). Contrasts that may be missing are None in a list, not in a dictionary, or
    not beside the path; they become channels of zeros, and a warning tells so. A tensor, as MONAI Deploy hands it over,
    is taken as it is (:func:`contrasts_in_memory`).

    The value becomes a float32 MetaTensor ``(n_contrasts, x, y, z)`` with affine, header and file name of the
    reference. Its ``meta`` has ``motion``, ``(n_contrasts, 4, 4)``: the world matrices (RAS, mm) by which contrasts
    were moved, ``alignment``, what was found (see :func:`~.alignment.as_json`), ``sources``, the paths joined by
    newlines, ``missing``, the names of contrasts that are missing or left out, likewise, and ``grids``, the shapes and
    affines of their files. Intensities that would spoil any scaling are put right with a warning
    (:func:`repair_intensities`), and images that look like other contrasts are a warning too.

    Args:
        keys: of the paths.
        contrasts: BIDS suffixes, in the order of the channels.
        reference: the contrast that gives the grid.
        register: align the other contrasts rigidly before resampling: ``auto`` those that lie apart (see
            :func:`~.alignment.align`), true all, false none.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        allow_missing_keys: skip keys that are not there.
        optional: contrasts that may be missing.
        leave_out: those of them to treat as missing though they are there, to see what the others reach; names, or
            text such as ``"T1w+T2w"``.
        thickest: ratio of the longest to the shortest side of the reference's voxels, above which a warning tells of
            it; None for any.

    Raises:
        ValueError: if ``reference`` is not one of ``contrasts``, or is optional.
        InputError: if one of ``leave_out`` is not optional; when called, if a contrast is missing or unusable (see
            :func:`read_volume`), does not overlap with the reference, or is empty where that is; an overlap with less
            than half of its foreground is a warning in the log.
    """

    def __init__(  # noqa: PLR0913 - what differs between bundles
        self,
        keys: KeysCollection = "image",
        contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"),
        reference: str = "FLAIR",
        register: bool | str | Register = False,
        allow_nan: bool = False,
        allow_missing_keys: bool = False,
        optional: Sequence[str] = (),
        leave_out: Sequence[str] | str = (),
        thickest: float | None = None,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if reference not in contrasts or reference in optional:
            problem = "reference must be one of contrasts, and not optional"
            raise ValueError(f"{problem}, got {reference=}, {contrasts=}, {optional=}")
        self.optional = tuple(optional)
        self.left_out = names_to_leave_out(leave_out, optional)
        self.contrasts = tuple(contrasts)
        self.reference = reference
        self.register = Register.of(register)
        self.allow_nan = allow_nan
        self.thickest = thickest

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path or paths at every key by one image."""
        out = dict(data)
        for key in self.key_iterator(out):
            if isinstance(out[key], Tensor):
                out[key] = self.take(out[key])
            else:
                out[key] = self.load(contrast_paths(out[key], self.contrasts, self.optional))
        return out

    def take(self, image: Tensor) -> MetaTensor:
        """Take contrasts in memory, see :func:`contrasts_in_memory`, as they are: on one grid, with no file."""
        return contrasts_in_memory(image, self.contrasts, self.reference, self.optional, self.allow_nan)

    def load(self, paths: Mapping[str, Path]) -> MetaTensor:
        """Load ``paths`` (contrast to path; of optional ones there may be none) as ``(n_contrasts, x, y, z)``."""
        there = [name for name in self.contrasts if name in paths and name not in self.left_out]
        tell_missing(paths[self.reference], [name for name in self.contrasts if name not in paths], there)
        images = {name: self._read(paths[name]) for name in there}
        warn_of_images(images)
        warn_of_thick_voxels(images[self.reference], self.thickest)
        grids = grids_of([images.get(name, images[self.reference]) for name in self.contrasts])
        images[self.reference] = reference = self._on_grid(images[self.reference])
        aligned, found = {}, {}
        for name in there:
            aligned[name], found[name] = self._align(images[name], reference, name)
        warn_of_swaps(aligned)
        motions = np.stack([found.get(name, Alignment()).matrix for name in self.contrasts])
        added = {"motion": motions, "sources": "\n".join(str(paths[name]) for name in there), GRIDS: grids}
        added[ALIGNMENT] = as_json(self.register, self.reference, found)
        added[MISSING] = "\n".join(name for name in self.contrasts if name not in there)
        nothing = torch.zeros_like(reference.as_tensor())
        channels = torch.cat([aligned[name].as_tensor() if name in aligned else nothing for name in self.contrasts])
        return MetaTensor(channels, meta=reference.meta | added)

    def _read(self, path: Path) -> MetaTensor:
        return repair_intensities(read_volume(path, allow_nan=self.allow_nan))

    def _on_grid(self, reference: MetaTensor) -> MetaTensor:
        """Put the reference on the grid of the result: its own."""
        return reference

    def _align(self, image: MetaTensor, reference: MetaTensor, name: str) -> tuple[MetaTensor, Alignment]:
        found = Alignment()
        if image is not reference:
            found = align(image, reference, self.register, self.reference)
            image = found.apply(image)
        if found.motion is not None:
            done = "registered to" if found.is_applied else "compared with"
            logger.info("%s %s %s: %s", name, done, self.reference, found.motion)
        check_overlap(image, reference, self.reference, self._remedy())
        aligned = resample_to(image, reference)
        if aligned.min() == aligned.max():
            raise InputError.at(
                image.meta["filename_or_obj"], f"is empty where the {self.reference} image is", self._remedy()
            )
        return aligned, found

    def _remedy(self) -> str:
        return "check their headers" + (
            "" if self.register is Register.ALWAYS else ", or set `register` to true to align them"
        )
