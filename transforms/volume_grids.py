"""Volumes on the same or on different grids."""

from __future__ import annotations

import logging
from typing import cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import SpatialResample
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

from ..datasets.input_error import InputError

logger = logging.getLogger(__name__)

MIN_OVERLAP = 0.5  # of the reference's foreground

GRID_TOLERANCE = 1e-3  # mm, or mm per voxel: headers written by different programs differ by that much

ROUNDING = 1e-9
"""Of the largest value: what is smaller after resampling is an error of rounding where there was zero."""


def same_grid(image: MetaTensor, other: MetaTensor, tolerance: float = GRID_TOLERANCE) -> bool:
    """Tell whether spatial shapes are equal and affines differ by no more than ``tolerance`` (mm)."""
    close = np.allclose(image.affine.numpy(), other.affine.numpy(), rtol=0, atol=tolerance)
    return image.shape[1:] == other.shape[1:] and close


def covered_fraction(image: MetaTensor, other: MetaTensor) -> float:
    """Tell which part of the foreground of ``image`` (above its mean; all of one value) is in the grid of ``other``."""
    values = image.as_tensor()[0]
    voxels = torch.nonzero((values > values.mean()) | (values.min() == values.max())).numpy()
    matrix = np.linalg.solve(other.affine.numpy(), image.affine.numpy())
    indices = voxels @ matrix[:3, :3].T + matrix[:3, 3]
    inside = (indices >= -0.5) & (indices <= np.array(other.shape[1:]) - 0.5)
    return float(inside.all(axis=1).mean())


def check_overlap(image: MetaTensor, reference: MetaTensor, name: str, remedy: str = "check their headers") -> None:
    """Warn in the log of an image that covers less than half of the foreground of ``reference``.

    Args:
        image: ``(1, x, y, z)``.
        reference: likewise.
        name: of the reference, for the message.
        remedy: if they do not overlap at all.

    Raises:
        InputError: if they do not overlap at all.
    """
    overlap, place = covered_fraction(reference, image), image.meta["filename_or_obj"]
    if overlap == 0:
        raise InputError.at(place, f"does not overlap with the {name} image", remedy)
    if overlap < MIN_OVERLAP:
        message = "%s: overlaps with only %.0f %% of the %s image's foreground; consider `register`"
        logger.warning(message, place, 100 * overlap, name)


def resample_to(image: MetaTensor, reference: MetaTensor, mode: str = "bilinear") -> MetaTensor:
    """Resample ``image`` by the affines to the grid of ``reference``, if it is another; zero outside.

    Where only the order of the voxels differs, values are moved and stay exactly as they are. Where values are
    interpolated, zero stays zero: rounding would make 1e-13 of it, which is no background any more.
    """
    if same_grid(image, reference):
        return image
    if (turned := reoriented_to(image, reference)) is not None:
        return turned
    resample = SpatialResample(mode=mode, padding_mode="zeros")
    out = cast(MetaTensor, resample(image, dst_affine=reference.affine, spatial_size=reference.shape[1:]))
    return cast(MetaTensor, out.where(out.abs() > ROUNDING * out.abs().max(), torch.zeros_like(out)))


def reoriented_to(image: MetaTensor, reference: MetaTensor) -> MetaTensor | None:
    """Return ``image`` with its axes in the order and direction of ``reference``'s; None if grids still differ."""
    codes = (io_orientation(x.affine.numpy()) for x in (image, reference))
    turn = ornt_transform(*codes)
    affine = image.affine.numpy() @ inv_ornt_aff(turn, image.shape[1:])
    values = np.ascontiguousarray(apply_orientation(image.as_tensor()[0].numpy(), turn))
    turned = MetaTensor(torch.from_numpy(values)[None], meta=dict(image.meta))
    turned.affine = image.affine.new_tensor(affine)
    return turned if same_grid(turned, reference) else None
