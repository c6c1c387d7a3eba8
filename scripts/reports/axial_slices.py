"""Volumes as axial pictures: one grid, one orientation, the slices worth seeing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.processing import resample_from_to
from numpy.typing import NDArray

from ...datasets.volumes import read_volume

Window = tuple[float, float]
"""Intensities shown as black and white."""

Aligned = tuple[list[NDArray[Any]], Sequence[float]]
"""Volumes ``(x, y, z)`` and the size of their voxels (mm)."""


def load_aligned(paths: Sequence[Path], reference: Path, *, is_label: bool = False) -> Aligned:
    """Read volumes, resample those on other grids to that of ``reference``, turn all to RAS; and tell its voxels.

    Files or DICOM folders are read as in :func:`~mri_attention.datasets.volumes.read_volume`; values that
    are not finite become zero. Labels are resampled by nearest neighbor, images linearly.
    """
    target = _read(reference)
    images = [target if path == reference else _read(path) for path in paths]
    same = (i.shape == target.shape and np.allclose(i.affine, target.affine, atol=1e-3) for i in images)
    resampled = [
        image if is_same else resample_from_to(image, target, order=0 if is_label else 1)
        for image, is_same in zip(images, same, strict=True)
    ]
    turned = [nib.as_closest_canonical(image) for image in resampled]
    return [np.asarray(image.dataobj) for image in turned], turned[0].header.get_zooms()[:3]


def _read(path: Path) -> nib.Nifti1Image:
    volume = read_volume(path, allow_nan=True, allow_constant=True, allow_2d=True)
    data = np.nan_to_num(np.asarray(volume[0], dtype=np.float32), posinf=0.0, neginf=0.0)
    return nib.Nifti1Image(data, np.asarray(volume.affine, dtype=np.float64))


def select_slices(mask: NDArray[Any], n_slices: int = 3, min_gap: int = 8) -> list[int]:
    """Return the axial slices with the largest area of ``mask``, top one first.

    Args:
        mask: ``(x, y, z)``; where empty, the slice in the middle of the volume and its neighbors count.
        n_slices: how many; fewer where the volume has no more that keep the gap.
        min_gap: slices between two chosen ones, so that they show different lesions.
    """
    n_all = mask.shape[2]
    areas = np.count_nonzero(mask, axis=(0, 1)).astype(float)
    to_middle = np.abs(np.arange(n_all) - n_all / 2)
    order = np.lexsort((to_middle, -areas))
    chosen: list[int] = []
    for index in order:
        if all(abs(int(index) - other) >= min_gap for other in chosen):
            chosen.append(int(index))
        if len(chosen) == n_slices:
            break
    return chosen


def foreground_box(volume: NDArray[Any], margin: int = 4) -> tuple[slice, slice]:
    """Return the in-plane box around what is brighter than 5 % of the brightest, with a margin in voxels."""
    foreground = volume > 0.05 * np.percentile(volume, 99.5)
    box = []
    for axis in (0, 1):
        hit = np.flatnonzero(foreground.any(axis=tuple({0, 1, 2} - {axis})))
        first, last = (int(hit[0]), int(hit[-1])) if len(hit) else (0, volume.shape[axis] - 1)
        box.append(slice(max(first - margin, 0), min(last + 1 + margin, volume.shape[axis])))
    return box[0], box[1]


def radiological(volume: NDArray[Any], index: int, box: tuple[slice, slice]) -> NDArray[Any]:
    """Return the axial slice of an RAS volume as rows and columns of a picture.

    Anterior is up and the patient's right is on the left, as radiologists look at it.
    """
    picture: NDArray[Any] = volume[box[0], box[1], index][::-1, ::-1].T
    return picture


def display_window(volume: NDArray[Any]) -> Window:
    """Return the intensities to show as black and white: zero (or the darkest) to the 99.7th percentile."""
    inside = volume[volume != 0]
    if not inside.size:
        return 0.0, 1.0
    low = min(0.0, float(np.percentile(inside, 0.5)))
    return low, max(float(np.percentile(inside, 99.7)), low + 1e-6)
