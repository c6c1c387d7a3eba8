"""Anatomies for the simulator: maps of tissue fractions in a frame like MNI152."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from nilearn.datasets import load_mni152_brain_mask, load_mni152_gm_template, load_mni152_wm_template
from numpy.typing import NDArray
from scipy import ndimage

from ..datasets.file_names import is_nifti
from ..datasets.input_error import InputError
from ..datasets.volumes import read_volume
from .tissues import BRAIN_TISSUES

Labels = TypeVar("Labels", bound=NDArray[Any])

BRAIN_CENTER = (0.0, -22.0, 10.0)
"""Center of mass of the MNI152 brain (RAS, mm); every anatomy is moved there."""

# FreeSurfer's numbers; those of 500 and more, extra-cerebral and unnamed in the label maps, were named by their place.
LABELS: dict[str, tuple[int, ...]] = {
    "white_matter": (2, 41, 7, 46, 16, 28, 60, 25, 57, 77, 85, 251, 252, 253, 254, 255, 512),
    "gray_matter": (3, 42, 8, 47, 17, 18, 53, 54, 26, 58),
    "thalamus": (10, 49),
    "caudate": (11, 50),
    "putamen": (12, 51),
    "pallidum": (13, 52),
    "csf": (4, 5, 14, 15, 24, 31, 43, 44, 63, 72, 136, 137, 163, 164),
    "vessel": (30, 62, 514),
    "fat": (511,),
    "bone": (515, 509),
    "marrow": (516,),
    "muscle": (502, 506, 507, 508, 530),
}
VENTRICLES = (4, 5, 14, 15, 43, 44)
CHOROID_PLEXUS = (31, 63)
INFRATENTORIAL = (7, 8, 16, 46, 47)
CORTEX = (3, 42)
BRAIN = tuple(
    label for name in BRAIN_TISSUES for label in LABELS[name] if label < 500 and label not in (24, 136, 137, 163, 164)
)


@dataclass(frozen=True)
class Anatomy:
    """Tissue fractions and regions of one head.

    Attributes:
        shape: of all maps.
        affine: voxel-to-world matrix (RAS, mm) of all maps, the brain's center at :data:`BRAIN_CENTER`.
        brain_volume: volume (ml) of the brain, ventricles included.
        read: gives the map of a name, shape ``(x, y, z)``, values 0 to 1: a tissue of :data:`TISSUES`, or the
            regions ``brain``, ``ventricles``, ``infratentorial``, of a label map ``choroid_plexus``, ``cortex`` too.
        names: all names that ``read`` knows.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    brain_volume: float
    read: Callable[[str], NDArray[np.float32]]
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def mni_anatomy(with_skull: bool = False) -> Anatomy:
    """Anatomy from the MNI152 2009 nonlinear template's maps that the nilearn package carries, 1 mm.

    Fractions are squared and normalized, since the template, an average of 152 heads, is blurred. It has no deep nuclei
    apart from gray matter. A skull, where asked for, is made of shells around the brain.
    """
    gray, white = load_mni152_gm_template(resolution=1), load_mni152_wm_template(resolution=1)
    brain = np.asarray(load_mni152_brain_mask(resolution=1).dataobj) > 0
    gm, wm = (np.asarray(image.dataobj, dtype=np.float32) * brain for image in (gray, white))
    maps = _sharpen({"gray_matter": gm, "white_matter": wm, "csf": np.clip(brain - gm - wm, 0, 1)})
    affine = np.asarray(gray.affine, dtype=float)
    world = [
        np.arange(n)[tuple(slice(None) if a == axis else None for a in range(3))] * affine[axis, axis] + affine[axis, 3]
        for axis, n in enumerate(brain.shape)
    ]
    maps["brain"] = brain.astype(np.float32)
    maps["ventricles"] = mni_ventricles(maps["csf"], *world)
    maps["infratentorial"] = mni_infratentorial(*world) * maps["brain"]
    outside = _shells(brain, float(affine[0, 0]), with_skull)
    maps |= {
        name: np.clip(shell + maps.get(name, np.float32(0)), 0, 1, dtype=np.float32) for name, shell in outside.items()
    }
    return Anatomy(brain.shape, affine, float(brain.sum()) / 1000, maps.__getitem__, tuple(maps))


def read_label_map(path: Path, with_skull: bool = False) -> Anatomy:
    """Anatomy from a FreeSurfer-numbered label map (``*_dseg.nii.gz``), with skull where asked for and in the map.

    Raises:
        InputError: if the file cannot be read as a volume of whole numbers, or holds no white matter.
    """
    volume = read_volume(path, allow_constant=True)
    image = nib.as_closest_canonical(nib.Nifti1Image(volume[0].numpy(), volume.affine.numpy()))
    labels = np.asarray(image.dataobj)
    if (fractions := labels[labels != labels.round()]).size:
        raise InputError.at(path, f"holds {fractions[0]:g}, which is no label", "give a map of whole numbers")
    labels = labels.astype(np.int16)
    if not np.isin(labels, LABELS["white_matter"]).any():
        raise InputError.at(path, "has no white matter (labels 2, 41)", "give FreeSurfer's label numbers")
    affine = np.asarray(image.affine, dtype=float)
    labels, affine = crop_labels(labels, affine, labels > 0 if with_skull else np.isin(labels, BRAIN))
    brain = ndimage.binary_closing(np.isin(labels, BRAIN), iterations=4)
    affine[:3, 3] += np.asarray(BRAIN_CENTER) - affine[:3, :3] @ np.argwhere(brain).mean(0) - affine[:3, 3]
    regions = {"ventricles": VENTRICLES, "infratentorial": INFRATENTORIAL}
    regions |= {"choroid_plexus": CHOROID_PLEXUS, "cortex": CORTEX}

    def read(name: str) -> NDArray[np.float32]:
        return (brain if name == "brain" else np.isin(labels, (LABELS | regions)[name])).astype(np.float32)

    milliliters = float(brain.sum() * abs(np.linalg.det(affine[:3, :3]))) / 1000
    return Anatomy(labels.shape, affine, milliliters, read, (*LABELS, *regions, "brain"))


def crop_labels(
    labels: Labels, affine: NDArray[np.float64], inside: NDArray[np.bool_], margin: int = 8
) -> tuple[Labels, NDArray[np.float64]]:
    """The bounding box of what is inside, padded with background, and its affine."""
    box = ndimage.find_objects(inside.astype(np.int8))[0]
    affine = affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [axis.start - margin for axis in box]
    return np.pad(labels[box], margin), affine  # type: ignore[return-value]


def list_images(folder: Path, ending: str, kind: str) -> list[Path]:
    """List the ``*<ending>.nii.gz`` in a folder and those below, sorted; errors call them by their ``kind``.

    Hidden files, such as macOS leaves beside each one, are not listed.

    Raises:
        InputError: if there is none.
    """
    paths = sorted(path for path in folder.rglob(f"*{ending}.nii*") if is_nifti(path))
    if not paths:
        raise InputError.at(folder, f"has no *{ending}.nii.gz in it", f"give a folder of {kind}")
    return paths


def _sharpen(maps: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    squares = {name: fraction**2 for name, fraction in maps.items()}
    total = np.maximum(np.sum(list(squares.values()), axis=0), np.float32(1e-6))
    return {name: square / total for name, square in squares.items()}


def mni_ventricles(csf: NDArray[np.float32], x: NDArray, y: NDArray, z: NDArray) -> NDArray[np.float32]:  # type: ignore[type-arg]
    """The fluid inside a box around the lateral and third ventricles (MNI mm), away from the surface."""
    inside = (abs(x) < 42) & (y > -58) & (y < 42) & (z > -14) & (z < 34) & ~((abs(x) > 20) & (y > -12))
    labels, _ = ndimage.label((csf > 0.5) & inside)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.isin(labels, np.argsort(sizes)[-2:]).astype(np.float32)


def mni_infratentorial(x: NDArray, y: NDArray, z: NDArray) -> NDArray[np.float32]:  # type: ignore[type-arg]
    """Brain stem and cerebellum: below a roof that falls from the tentorium's apex (MNI mm)."""
    roof = -8 - 0.35 * abs(x) - 0.15 * np.maximum(-y - 45, 0)
    return ((z < roof) & (y < -14) & (abs(x) < 55)).astype(np.float32)


def _shells(brain: NDArray[np.bool_], voxel_size: float, with_skull: bool) -> dict[str, NDArray[np.float32]]:
    """Fluid, and bone, marrow, bone, fat and skin, around a brain, by distance from it (mm)."""
    margin = 24
    distance = ndimage.distance_transform_edt(~np.pad(brain, margin)) * voxel_size
    distance = distance[(slice(margin, -margin),) * 3]

    def shell(low: float, high: float) -> NDArray[np.float32]:
        return ((distance > low) & (distance <= high)).astype(np.float32)

    if not with_skull:
        return {"csf": shell(0, 2)}
    return {
        "csf": shell(0, 3),
        "bone": shell(3, 5) + shell(8, 10),
        "marrow": shell(5, 8),
        "fat": shell(10, 15),
        "muscle": shell(15, 17),
    }
