"""The local field that a scanner would see of a simulated head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..operators.dipole_convolution import DipoleConvolution, Kernel
from ..transforms.field_noise import RandFieldNoise


def simulate_local_field(  # noqa: PLR0913 - the options of one measurement
    susceptibility: ArrayLike,
    brain: ArrayLike,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    rng: np.random.Generator,
    *,
    snr: float | None = 50.0,
    b0: float = 3.0,
    echo_time: float = 0.02,
    erosion: float = 0.0,
    kernel: Kernel = "kspace",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Simulate the field (ppm) of all sources in a brain, as if background fields had been removed perfectly.

    Args:
        susceptibility: ppm, ``(x, y, z)``; sources outside of the brain are left out.
        brain: mask, ``(x, y, z)``.
        voxel_size: mm.
        b0_direction: in voxel axes.
        rng: source of the noise.
        snr: of the signal, see :class:`RandFieldNoise`; None for no noise.
        b0: T.
        echo_time: s.
        erosion: mm by which the mask loses its border, as in background removal; the sources there stay.
        kernel: see :class:`DipoleConvolution`.

    Returns:
        The field, zero outside of the eroded mask, and that mask.

    Raises:
        ValueError: if ``erosion`` is negative or leaves nothing.
    """
    inside = np.asarray(brain) > 0
    mask = erode(inside, voxel_size, erosion)
    sources = torch.from_numpy(np.asarray(susceptibility, np.float32) * inside)[None, None]
    field = DipoleConvolution(inside.shape, voxel_size, b0_direction, kernel=kernel)(sources)[0]
    if snr is not None:
        noise = RandFieldNoise((snr, snr), b0, echo_time)
        field = noise.set_random_state(int(rng.integers(2**31)))(field)
    return field[0].numpy() * mask, mask


def erode(mask: NDArray[np.bool_], voxel_size: Sequence[float], depth: float) -> NDArray[np.bool_]:
    """Remove from a mask what is less than ``depth`` (mm) from its outside.

    Raises:
        ValueError: if ``depth`` is negative or nothing is left.
    """
    if depth < 0:
        raise ValueError(f"erosion must not be negative, got {depth}")
    if depth == 0:
        return mask
    distance = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=voxel_size)[1:-1, 1:-1, 1:-1]
    eroded: NDArray[np.bool_] = distance > depth
    if not eroded.any():
        raise ValueError(f"erosion by {depth} mm leaves nothing of the mask")
    return eroded
