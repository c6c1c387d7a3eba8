"""Small inputs of each bundle, as files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

SHAPE = (28, 26, 22)
AFFINE = np.array([[-1.0, 0, 0, 14], [0, 1.0, 0, -13], [0, 0, 1.0, -11], [0, 0, 0, 1]])


def write(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def brain() -> np.ndarray:
    """An ellipsoid."""
    axes = np.meshgrid(*(np.linspace(-1.15, 1.15, size) for size in SHAPE), indexing="ij")
    return sum(axis**2 for axis in axes) < 1


def texture(seed: int) -> np.ndarray:
    """Whole numbers from 100 to 900 in a brain, 0 around it."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.5)
    return np.where(brain(), np.clip(500 + 150 * noise / noise.std(), 100, 900).round(), 0).astype(np.float32)


def lesion_dataset(folder: Path) -> None:
    """Three subjects with lesions, as a BIDS folder."""
    for number in (1, 2, 3):
        name = f"sub-{number:02}"
        lesions = np.zeros(SHAPE, dtype=np.uint8)
        lesions[8 + number : 12 + number, 10:14, 9:13] = 1
        for seed, contrast in enumerate(("T1w", "T2w", "FLAIR")):
            image = texture(10 * number + seed)
            image = np.where(lesions, 950 if contrast != "T1w" else 200, image).astype(np.float32)
            write(folder / name / "anat" / f"{name}_{contrast}.nii.gz", image)
        labels = folder / "derivatives" / "truth" / name / "anat"
        write(labels / f"{name}_label-lesion_mask.nii.gz", lesions)


def susceptibility_case(folder: Path) -> None:
    """A local field (ppm) and a brain mask."""
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=SHAPE), 1.5)
    field = np.where(brain(), 0.03 * noise / noise.std(), 0).astype(np.float32)
    write(folder / "sub-01_localfield.nii.gz", field)
    write(folder / "sub-01_mask.nii.gz", brain().astype(np.uint8))


def two_contrasts(folder: Path) -> None:
    """A T1w, and a T2w whose pixels are twice as large."""
    write(folder / "sub-01_T1w.nii.gz", texture(1))
    fine = texture(2)
    coarse = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) / 4
    affine = AFFINE @ np.diag([2.0, 2, 1, 1])
    affine[:3, 3] = (AFFINE @ [0.5, 0.5, 0, 1])[:3]
    write(folder / "sub-01_T2w.nii.gz", coarse.round().astype(np.float32), affine)


def kspace_case(folder: Path) -> None:
    """k-space of each slice of a T2w, each third column and the center measured, and a T1w on its grid."""
    write(folder / "sub-01_T1w.nii.gz", texture(1))
    image = texture(2).transpose(2, 1, 0)
    centered = np.fft.ifftshift(image, axes=(1, 2))
    kspace = np.fft.fftshift(np.fft.fft2(centered, norm="ortho"), axes=(1, 2)).astype(np.complex64)
    mask = np.arange(SHAPE[0]) % 3 == 0
    mask[10:18] = True
    np.savez(folder / "sub-01_kspace.npz", kspace=kspace * mask, mask=mask)


def label_maps(folder: Path) -> None:
    """A label map of FreeSurfer's: white matter, gray matter, ventricle, pallidum."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[brain()] = 3
    labels[8:20, 8:18, 6:16] = 2
    labels[10:12, 10:16, 8:14] = 4
    labels[15:18, 10:14, 8:12] = 13
    write(folder / "sub-01_dseg.nii.gz", labels)
