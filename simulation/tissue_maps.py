"""Anatomies from maps of fluid, gray and white matter, with the lesions that the patient has."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .anatomy import BRAIN_CENTER, Anatomy, crop_labels, mni_infratentorial
from .ventricles import find_ventricles

CSF, GRAY_MATTER, WHITE_MATTER = 1, 2, 3
FILLED_AROUND = 1.0  # mm around lesions in which gray matter is the lesions' border, not gray matter


def is_tissue_map(labels: NDArray[np.generic]) -> bool:
    """Say whether labels are 1 fluid, 2 gray, 3 white matter (FreeSurfer's maps have no 1, and more than 3)."""
    return set(np.unique(labels).tolist()) == {0, CSF, GRAY_MATTER, WHITE_MATTER}


def own_lesions(path: Path) -> Path | None:
    """Find the ``*_label-lesion_mask`` of a ``*_dseg`` in the derivatives of its dataset."""
    name = path.name.split("_dseg.nii")[0] + "_label-lesion_mask.nii*"
    folders = [parent / "derivatives" for parent in path.parents[:4] if (parent / "derivatives").is_dir()]
    found = [mask for folder in folders for mask in sorted(folder.rglob(name))]
    return found[0] if found else None


def read_tissue_map(path: Path, lesions: Path | None = None) -> Anatomy:
    """Anatomy from a map of labels 1 fluid, 2 gray, 3 white matter, averaged to voxels of about 0.8 mm or more.

    Lesions, which segmentations of T1w call gray matter or fluid, are filled with white matter; so is gray matter
    within 1 mm of them. Their mask is the region ``lesions``. What lies below the tentorium is told by
    its place, ventricles by place and shape.

    Raises:
        InputError: if the files cannot be read, or are not on one grid.
    """
    labels, affine = _canonical(path)
    mask = np.zeros(labels.shape, bool)
    if lesions is not None:
        found, mask_affine = _canonical(lesions)
        if found.shape != labels.shape or not np.allclose(mask_affine, affine, atol=1e-2):
            raise InputError.at(lesions, f"is not on the grid of {path.name}", "resample it to that grid")
        mask = found > 0
    labels = _fill(labels, mask, affine)
    (labels, affine), mask = crop_labels(labels, affine, labels > 0), crop_labels(mask, affine, labels > 0)[0]
    maps = {"csf": labels == CSF, "gray_matter": labels == GRAY_MATTER, "white_matter": labels == WHITE_MATTER}
    return _anatomy({name: part.astype(np.float32) for name, part in (maps | {"lesions": mask}).items()}, affine)


def _fill(labels: NDArray[np.int16], mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.int16]:
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if not mask.any():
        return labels
    box = tuple(slice(max(s.start - 8, 0), s.stop + 8) for s in ndimage.find_objects(mask.astype(np.int8))[0])
    around = ndimage.distance_transform_edt(~mask[box], sampling=sizes) <= FILLED_AROUND
    filled = labels.copy()
    filled[box][mask[box] | (around & (labels[box] == GRAY_MATTER))] = WHITE_MATTER
    return filled


def _anatomy(maps: dict[str, NDArray[np.float32]], affine: NDArray[np.float64]) -> Anatomy:
    factors = np.maximum(np.floor(1.0 / np.linalg.norm(affine[:3, :3], axis=0) + 1e-3), 1).astype(int)
    maps, affine = {name: _average(part, factors) for name, part in maps.items()}, affine.copy()
    affine[:3, 3] += affine[:3, :3] @ ((factors - 1) / 2)
    affine[:3, :3] = affine[:3, :3] * factors
    brain = ndimage.binary_closing(maps["gray_matter"] + maps["white_matter"] > 0.5, iterations=4)
    brain = np.asarray(ndimage.binary_fill_holes(brain))
    affine[:3, 3] += np.asarray(BRAIN_CENTER) - affine[:3, :3] @ np.argwhere(brain).mean(0) - affine[:3, 3]
    grid = np.ogrid[tuple(slice(n) for n in brain.shape)]
    world = [grid[axis] * affine[axis, axis] + affine[axis, 3] for axis in range(3)]
    maps["brain"] = brain.astype(np.float32)
    maps["ventricles"] = find_ventricles(maps["csf"], *world)
    maps["infratentorial"] = mni_infratentorial(*world) * maps["brain"]
    milliliters = float(brain.sum() * abs(np.linalg.det(affine[:3, :3]))) / 1000
    return Anatomy(brain.shape, affine, milliliters, maps.__getitem__, tuple(maps))


def _average(part: NDArray[np.float32], factors: NDArray[np.int_]) -> NDArray[np.float32]:
    shape = [n // f for n, f in zip(part.shape, factors, strict=True)]
    cut = part[tuple(slice(n * f) for n, f in zip(shape, factors, strict=True))]
    split = [size for n, f in zip(shape, factors, strict=True) for size in (n, f)]
    return cut.reshape(split).mean(axis=(1, 3, 5), dtype=np.float32)


def _canonical(path: Path) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    volume = read_volume(path, allow_constant=True)
    image = nib.as_closest_canonical(nib.Nifti1Image(volume[0].numpy(), volume.affine.numpy()))
    return np.asarray(image.dataobj).astype(np.int16), np.asarray(image.affine, dtype=float)
