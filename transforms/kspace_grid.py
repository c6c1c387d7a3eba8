"""Measured k-space, and the grid of an image that its images are to lie on."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from monai.data import MetaTensor

from ..datasets.input_error import InputError
from ..datasets.kspace import Kspace
from ..datasets.kspace_pixels import with_reconstructed_pixels

logger = logging.getLogger(__name__)

SIZE_TOLERANCE = 0.05  # of the size of voxels


def kspace_on_grid(file: Path, kspace: Kspace, grid: MetaTensor) -> Kspace:
    """Return k-space whose images, or the center of them, have the voxels of ``grid`` ``(1, x, y, slice)``.

    Its pixels are those of :func:`with_reconstructed_pixels`, unless the grid has the encoded matrix and no other.
    Slices that are numbered in another order than they lie in are sorted along the grid, with a warning.

    Raises:
        InputError: if the grid has neither the matrix of k-space nor that of its reconstruction.
    """
    matrix = tuple(kspace.data.shape[-2:])
    wanted = tuple(kspace.attributes.get("recon_matrix", matrix))
    plane = (grid.shape[2], grid.shape[1])
    filled = kspace if plane == matrix != wanted else with_reconstructed_pixels(file, kspace)
    _check_shape(file, filled, grid, wanted)
    if plane == wanted:
        _compare_voxel_sizes(file, kspace, grid)
    return _sorted_along(file, filled, grid)


def _check_shape(file: Path, kspace: Kspace, grid: MetaTensor, wanted: tuple[int, ...]) -> None:
    n_slices, _, *matrix = kspace.data.shape
    fits = all(n <= m for n, m in zip(wanted, matrix, strict=True))
    sizes = [tuple(matrix), wanted] if fits else [tuple(matrix)]
    if tuple(grid.shape[1:]) not in [(x, y, n_slices) for y, x in sizes]:
        y, x = sizes[-1]
        found = " x ".join(map(str, grid.shape[1:]))
        problem = f"its images have {x} x {y} x {n_slices} voxels, {grid.meta['filename_or_obj']} has {found}"
        raise InputError.at(file, problem, "give an image on the grid of k-space as `reference`")


def _compare_voxel_sizes(file: Path, kspace: Kspace, grid: MetaTensor) -> None:
    if "voxel_size" not in kspace.attributes:
        return
    y, x = kspace.attributes["voxel_size"][:2]
    found = np.linalg.norm(grid.affine.numpy()[:3, :2], axis=0)
    if not np.allclose(found, (x, y), rtol=SIZE_TOLERANCE):
        pixels, voxels = f"{x:.4g} x {y:.4g} mm", f"{found[0]:.4g} x {found[1]:.4g} mm"
        name = grid.meta["filename_or_obj"]
        logger.warning("%s: pixels of %s, but %s has %s; is its grid the same?", file, pixels, name, voxels)


def _sorted_along(file: Path, kspace: Kspace, grid: MetaTensor) -> Kspace:
    positions = kspace.attributes.get("slice_positions")
    if positions is None:
        return kspace
    distances = np.asarray(positions) @ grid.affine.numpy()[:3, 2]
    if (steps := np.sign(np.diff(distances))).min() == steps.max():
        return kspace
    logger.warning("%s: slices are numbered in another order than they lie in, and sorted by position", file)
    order = np.argsort(distances, kind="stable")
    mask = kspace.mask[order] if len(kspace.mask) > 1 else kspace.mask
    return replace(kspace, data=kspace.data[order], mask=mask)
