"""A label map as a head with susceptibility, at a voxel size that may be drawn."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...datasets.input_error import InputError
from ...datasets.regions import Regions, regions_of_tissues
from ...datasets.volumes import read_volume
from ...simulation.anatomy import BRAIN, Anatomy, crop_labels
from ...simulation.cohort import read_anatomy
from ...simulation.deformation import Grid, Sampler, SmoothDeformation
from ...simulation.susceptibility import SUSCEPTIBILITIES, simulate_susceptibility
from ...simulation.tissue_maps import is_tissue_map
from ...simulation.tissues import BRAIN_TISSUES

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]
QSMHead = tuple[Volume, Mask, NDArray[np.float64], Regions]
"""Susceptibility (ppm), brain mask and the affine of both, and the regions on their grid."""

BORDER = 0.5  # voxels, standard deviation by which labels' borders are softened: partial volume
MARGIN = 8.0  # mm by which the volume grows where a head is deformed


def draw_head(
    path: Path,
    b0_direction: tuple[float, float, float],
    spacing: float | None,
    rng: np.random.Generator,
    texture: float = 1.0,
) -> QSMHead:
    """Draw the susceptibility of a label map, on its grid, or with a spacing (mm) on cubic voxels and deformed.

    A T1w or T2w beside it, of the same grid, lends its texture, whose spreads within tissues are multiplied
    by ``texture``; with 0, fibers, veins, nuclei and the other sources stay.

    Raises:
        InputError: if the label map or the image beside it cannot be used.
    """
    anatomy = read_anatomy(path)
    tissues, brain = _hard_tissues(anatomy)
    image, sizes = _image_beside(path), np.linalg.norm(anatomy.affine[:3, :3], axis=0)
    regions = regions_of_tissues(tissues, list(SUSCEPTIBILITIES))
    blur = BORDER * np.maximum(spacing or 0, sizes) / sizes
    tissues = {name: ndimage.gaussian_filter(part, blur) * brain for name, part in tissues.items()}
    if spacing is not None:
        sample, sizes = _deformed(anatomy, spacing, rng), np.full(3, spacing)
        brain = sample(brain.astype(np.float32)) > 0.5
        tissues = {name: sample(part) * brain for name, part in tissues.items()}
        image = None if image is None else sample(image)
        regions = regions_of_tissues(tissues, list(SUSCEPTIBILITIES))
    chi = simulate_susceptibility(tissues, list(sizes), rng, texture=texture, b0_direction=b0_direction, image=image)
    return chi, brain, np.diag([*sizes, 1.0]), regions


def _hard_tissues(anatomy: Anatomy) -> tuple[dict[str, Volume], Mask]:
    """The tissues that an anatomy has in its brain, and the brain; what has no tissue there is fluid."""
    brain = np.asarray(ndimage.binary_fill_holes(anatomy.read("brain") > 0))
    found = {name: anatomy.read(name) * brain for name in anatomy.names if name in BRAIN_TISSUES}
    found["csf"] = found["csf"] + brain * np.clip(1 - np.sum(list(found.values()), axis=0), 0, 1)
    return {name: part for name, part in found.items() if part.any()}, brain


def _image_beside(path: Path) -> Volume | None:
    """Read the T1w or T2w beside a label map of FreeSurfer, on the grid of its anatomy; None where there is none."""
    files = [path.with_name(path.name.replace("_dseg.", f"_{contrast}.")) for contrast in ("T1w", "T2w")]
    file, labels = next((file for file in files if file.is_file()), None), read_volume(path, allow_constant=True)
    if file is None or is_tissue_map(labels.numpy()):
        return None
    image = read_volume(file)
    if labels.shape != image.shape or not np.allclose(labels.affine, image.affine, atol=1e-2):
        raise InputError.at(file, f"is not on the grid of {path.name}", "resample it to that grid, or take it away")
    pair = [nib.as_closest_canonical(nib.Nifti1Image(v[0].numpy(), v.affine.numpy())) for v in (labels, image)]
    inside, shades = (np.asarray(one.dataobj, np.float32) for one in pair)
    return crop_labels(shades, np.asarray(pair[0].affine, float), np.isin(inside, BRAIN))[0]


def _deformed(anatomy: Anatomy, spacing: float, rng: np.random.Generator) -> Sampler:
    """Sample an anatomy, slightly deformed, on cubic voxels, whose number of slices is a multiple of six."""
    shape = np.array(anatomy.shape)
    extent = shape * np.linalg.norm(anatomy.affine[:3, :3], axis=0) + MARGIN
    extent[2] = np.ceil(extent[2] / spacing / 6) * 6 * spacing
    center = anatomy.affine[:3, :3] @ ((shape - 1) / 2) + anatomy.affine[:3, 3]
    grid = Grid.around(tuple(center), tuple(extent), (spacing,) * 3)
    deformation = SmoothDeformation(rng, tuple(center), anisotropy=0.03, magnitude=2.0)
    return Sampler(deformation(grid), anatomy.shape, anatomy.affine)
