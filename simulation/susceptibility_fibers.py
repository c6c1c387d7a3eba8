"""Directions of white matter's fibers, and what they do to its susceptibility.

Susceptibility of myelinated fibers is less diamagnetic along them than across: what a field at the angle theta sees is
``chi = mean + anisotropy * (cos^2 theta - 1/3)``, with an anisotropy of 0.004 to 0.029 ppm (Li et al. 2012, NeuroImage
62:314, doi:10.1016/j.neuroimage.2012.04.042; Wharton and Bowtell 2012, doi:10.1073/pnas.1211075109). The field is made
of this map alone: the tensor's elements off the diagonal are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .smooth_shapes import smooth_field

Volume = NDArray[np.float32]

ANISOTROPY = (0.004, 0.029)  # ppm, Li et al. 2012
WANDERING_LENGTH = 12.0  # mm
COMMISSURE = 12.0  # mm from the middle within which fibers cross it
COHERENCE_LENGTH = 2.5  # mm; within it of gray matter, fibers turn and cross


def orientation_effect(directions: ArrayLike, b0_direction: ArrayLike, anisotropy: ArrayLike) -> Volume:
    """Compute what directions add (ppm): ``anisotropy * (cos^2 theta - 1/3)``, nothing on average over the sphere.

    Args:
        directions: of fibers, ``(3, x, y, z)``, of any length but zero, in voxel axes.
        b0_direction: in voxel axes, of any length but zero.
        anisotropy: ppm, a number or ``(x, y, z)``.
    """
    fibers, b0 = np.asarray(directions, np.float32), np.asarray(b0_direction, np.float32)
    along = np.tensordot(b0 / np.linalg.norm(b0), fibers, 1) ** 2
    cosines = along / np.maximum((fibers**2).sum(0), np.float32(1e-12))
    return np.asarray(np.asarray(anisotropy, np.float32) * (cosines - np.float32(1 / 3)), dtype=np.float32)


def fiber_directions(white_matter: Volume, voxel_size: Sequence[float], rng: np.random.Generator) -> Volume:
    """Draw directions of fibers, ``(3, x, y, z)``: a fan out of the middle, commissures across it, and wandering.

    Args:
        white_matter: fraction, ``(x, y, z)``, x to a side.
        voxel_size: mm.
        rng: source of all randomness.
    """
    center = np.array(ndimage.center_of_mass(white_matter) if white_matter.any() else np.array(white_matter.shape) / 2)
    axes = [(np.arange(n) - c) * s for n, c, s in zip(white_matter.shape, center, voxel_size, strict=True)]
    fan = np.stack(np.meshgrid(*(axis.astype(np.float32) for axis in axes), indexing="ij"))
    across = np.exp(-np.abs(fan[0]) / COMMISSURE)
    fan /= np.sqrt((fan**2).sum(0)) + np.float32(5)
    fan[0] += np.float32(1.5) * across
    for part in fan:
        part += np.float32(0.6) * smooth_field(white_matter.shape, float(min(voxel_size)), WANDERING_LENGTH, rng)
    return fan


def fiber_effect(
    white_matter: Volume, voxel_size: Sequence[float], b0_direction: Sequence[float], rng: np.random.Generator
) -> Volume:
    """Draw what fibers add to a head's susceptibility (ppm), ``(x, y, z)``; see :func:`orientation_effect`.

    The anisotropy is one of :data:`ANISOTROPY` in the depth of white matter, and falls to zero at its border.
    """
    smooth = ndimage.gaussian_filter(white_matter, [COHERENCE_LENGTH / size for size in voxel_size])
    coherence = np.clip(2 * smooth - 1, 0, 1) * white_matter
    directions = fiber_directions(white_matter, voxel_size, rng)
    return orientation_effect(directions, b0_direction, np.float32(rng.uniform(*ANISOTROPY)) * coherence)
