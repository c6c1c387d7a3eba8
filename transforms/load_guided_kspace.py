"""Load what a reconstruction starts from: measured k-space and its guide, or two images."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import CenterSpatialCrop, MapTransform, SpatialPad
from torch import Tensor

from ..datasets.input_error import InputError
from ..datasets.kspace import Kspace
from ..datasets.kspace_readers import KSPACE_SUFFIXES, read_kspace
from ..datasets.volumes import header_of, read_volume
from ..operators import combine_coils as combine_coil_images
from ..operators.coil_maps import low_resolution_coil_maps
from ..operators.fourier import image_to_kspace, kspace_to_image
from .alignment import ALIGNMENT, Alignment, Register, align, as_json
from .coil_samples import calibrated_coils
from .intensity_faults import repair_intensities
from .kspace_grid import kspace_on_grid
from .load_contrasts import LoadContrastsd
from .plausible_contrasts import warn_of_images
from .volume_grids import check_overlap, resample_to

logger = logging.getLogger(__name__)


class LoadGuidedKspaced(MapTransform):
    """Load a guide with measured k-space, or with the image whose k-space is to be simulated.

    A case ``{"image": [guide, target]}`` gives ``guide`` and ``label``, float32 ``(1, x, y, z)`` on the target's grid,
    whose header and file name both have. A case ``{"image": [guide], "kspace": file}`` gives stacks of slices:
    ``image``, masked complex k-space ``(1, slice, y, x)``; ``sampled``, its mask, bool, broadcastable; and ``guide``,
    ``(1, slice, y, x)``; their grid is that of the guide, or of the file at ``reference``.

    One path alone stands for both images, as in :class:`LoadContrastsd`, or for k-space, beside which the guide is
    found: ``sub-01_T1w.nii.gz`` beside ``sub-01_kspace.npz``. A MONAI Label server hands over one path only.

    Coils are combined with sensitivities from the center of k-space, and what is then outside of the mask is set to
    zero: k-space of one virtual coil. Where there are several, ``coils`` has their samples and ``coil_maps`` their
    sensitivities, ``(coil, slice, y, x)``, see :func:`~.coil_samples.calibrated_coils`. The guide's grid has the matrix
    of k-space, or its ``recon_matrix``: the center of the field of view, with the pixels that the scanner reconstructs
    (see :func:`kspace_on_grid`); around it the guide is zero.

    Args:
        keys: of the images; k-space is at ``kspace_key``.
        contrasts: names of guide and target.
        register: align the guide rigidly with the target, or with the zero-filled image: ``auto`` if images
            lie apart (see :func:`~.alignment.align`), and not with measured k-space; true in any case, false never.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        kspace_key: of the file of k-space; cases without it have images only.
        reference_key: of an image on the grid of k-space's images.
        from_full: take measured k-space for an image whose k-space is to be simulated, as training and evaluation do:
            its magnitude, coils combined, is at ``label``.

    Raises:
        ValueError: if ``contrasts`` are not two.
        InputError: if an image or k-space is missing or unusable (see :func:`~.read_volume`, :func:`~.read_kspace`),
            or the grid of k-space's images is not that of guide or reference; with ``from_full``, if k-space is not
            sampled completely up to its margins.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        contrasts: Sequence[str] = ("T1w", "T2w"),
        register: bool | str | Register = False,
        allow_nan: bool = False,
        kspace_key: str = "kspace",
        reference_key: str = "reference",
        from_full: bool = False,
    ) -> None:
        super().__init__(keys)
        if len(contrasts) != 2:
            raise ValueError(f"contrasts must be guide and target, got {tuple(contrasts)}")
        self.guide, self.target = contrasts
        self.register, self.allow_nan = Register.of(register), allow_nan
        self.kspace_key, self.reference_key = kspace_key, reference_key
        self.from_full = from_full

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace paths by what they hold."""
        out = dict(data)
        paths = out.pop(self.first_key(out))
        if isinstance(paths, (str, Path)) and Path(paths).suffix.lower() in KSPACE_SUFFIXES:
            out[self.kspace_key], paths = paths, _beside(Path(paths), self.guide)
        if out.get(self.kspace_key) is None:
            return out | self._images(paths)
        paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
        return out | self._measurement(Path(out.pop(self.kspace_key)), paths[0], out.pop(self.reference_key, None))

    def _images(self, paths: Any) -> dict[Hashable, Any]:
        contrasts = (self.guide, self.target)
        load = LoadContrastsd("image", contrasts, self.target, self.register, self.allow_nan)
        both = load({"image": paths})["image"]
        return {"guide": both[:1], "label": both[1:]}

    def _measurement(self, file: Path, guide_file: Any, reference_file: Any) -> dict[Hashable, Any]:
        guide = repair_intensities(read_volume(guide_file, allow_nan=self.allow_nan, allow_2d=True))
        warn_of_images({self.guide: guide})
        grid = guide if reference_file is None else read_volume(reference_file, allow_constant=True, allow_2d=True)
        kspace = kspace_on_grid(file, read_kspace(file), grid)
        if self.from_full and not is_complete(kspace):
            problem = f"only {kspace.sampled_fraction:.1%} of k-space is sampled, but it is to be undersampled here"
            raise InputError.at(file, problem, "give k-space that is sampled completely, or an image")
        require_center(file, kspace)
        coils = calibrated_coils(file, kspace)
        if coils is None:
            combined, mask = combine_coils(kspace)
        else:
            mask = torch.from_numpy(kspace.mask.all(1, keepdims=True)).movedim(1, 0)
            combined = image_to_kspace(combine_coil_images(kspace_to_image(coils[0]), coils[1])) * mask
        found = self._alignment(guide, combined, grid)
        guide = found.apply(guide)
        check_overlap(guide, grid, "reference")
        aligned = resample_to(guide, grid).as_tensor().permute(0, 3, 2, 1)
        meta = {**grid.meta, "slice_axis": 2, "motion": found.matrix[None], "sources": f"{file}\n{guide_file}"}
        meta[ALIGNMENT] = as_json(self.register, "zero-filled", {self.guide: found})
        padded = SpatialPad(combined.shape[1:])(aligned)
        if self.from_full:
            label = MetaTensor(kspace_to_image(combined).abs(), meta=meta)
            return {"guide": MetaTensor(padded, meta=meta), "label": label}
        out: dict[Hashable, Any] = {
            "image": MetaTensor(combined, meta=meta),
            "guide": MetaTensor(padded, meta=meta),
            "sampled": mask,
        }
        return out if coils is None else out | {"coils": coils[0], "coil_maps": coils[1]}

    def _alignment(self, guide: MetaTensor, combined: Tensor, grid: MetaTensor) -> Alignment:
        if self.register is not Register.ALWAYS:
            return Alignment()  # by aliasing, registration is some millimeters wrong where nothing is
        zero_filled = kspace_to_image(combined).abs().permute(0, 3, 2, 1)
        crop = CenterSpatialCrop(header_of(grid).get_data_shape())
        image = MetaTensor(crop(zero_filled), affine=grid.affine, meta=dict(grid.meta))
        found = align(guide, image, self.register, "zero-filled")
        logger.info("%s registered to the zero-filled image: %s", guide.meta["filename_or_obj"], found.motion)
        return found


def _beside(file: Path, contrast: str) -> Path:
    """Return the image of ``contrast`` beside a file of k-space."""
    stem = f"{file.stem.rpartition('_')[0]}_{contrast}"
    images = [file.with_name(f"{stem}{suffix}") for suffix in (".nii.gz", ".nii")]
    if found := next((image for image in images if image.is_file()), None):
        return found
    raise InputError.at(file, f"no {contrast} image beside it", f"add {images[0].name}")


def is_complete(kspace: Kspace) -> bool:
    """Tell whether all of k-space was sampled, but for its margins: a rectangle of at least half of each side."""
    for mask in kspace.mask.all(1):
        full = np.broadcast_to(mask, kspace.data.shape[-2:])
        rows, columns = (np.flatnonzero(full.any(axis)) for axis in (1, 0))
        sides = [(int(side[0]), int(side[-1]) + 1) if len(side) else (0, 0) for side in (rows, columns)]
        (top, bottom), (left, right) = sides
        is_large = all(2 * (end - start) >= n for (start, end), n in zip(sides, full.shape, strict=True))
        if not (is_large and full[top:bottom, left:right].all()):
            return False
    return True


def require_center(file: Path, kspace: Kspace) -> None:
    """Refuse k-space of which the center was not measured in a slice.

    Raises:
        InputError: if it was not.
    """
    mask = np.broadcast_to(kspace.mask.all(1), (len(kspace.mask), *kspace.data.shape[-2:]))
    y, x = (n // 2 for n in mask.shape[1:])
    has_center = mask[:, y, x]
    if not has_center.all():
        problem = f"the center of k-space is not sampled in slice {int(np.argmin(has_center))}"
        raise InputError.at(file, problem, f"give k-space whose center, at ({y}, {x}), was measured")


def combine_coils(kspace: Kspace) -> tuple[Tensor, Tensor]:
    """Return k-space of one virtual coil ``(1, slice, y, x)``, masked, and its mask; see :class:`LoadGuidedKspaced`."""
    data = torch.from_numpy(kspace.data)
    mask = torch.from_numpy(kspace.mask.all(1, keepdims=True))
    if data.shape[1] > 1:
        slices = [_combine_slice(coils) for coils in data]  # one by one, for memory
        data = torch.stack(slices) * mask
    return (data * mask).movedim(1, 0).contiguous(), mask.movedim(1, 0)


def _combine_slice(coils: Tensor) -> Tensor:
    images = kspace_to_image(coils)
    return image_to_kspace(combine_coil_images(images, low_resolution_coil_maps(coils, coil_axis=0)))
