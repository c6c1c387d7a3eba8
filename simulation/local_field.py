"""The local field that a scanner would see of a simulated head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..operators.dipole_convolution import DipoleConvolution, Kernel
from ..transforms.field_noise import RandFieldNoise
from .smooth_shapes import smooth_field

Volume = NDArray[np.float32]

GAP = 2.0  # mm between a brain and the sources around it
SINUS = 4.0  # mm, half width of the sagittal sinus


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
    background: float = 0.0,
    magnitude: ArrayLike | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Simulate the field (ppm) of all sources in a brain, as if background fields had been removed.

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
        background: ppm, root mean square within the mask of a field of sources around the brain, which is added as what
            an imperfect removal leaves; 0 for a perfect one.
        magnitude: of the signal, ``(x, y, z)``, at most 1, which noise depends on; 1 everywhere if it is None.

    Returns:
        The field, zero outside of the eroded mask, and that mask.

    Raises:
        ValueError: if ``erosion`` is negative or leaves nothing.
    """
    inside = np.asarray(brain) > 0
    mask = erode(inside, voxel_size, erosion)
    sources = torch.from_numpy(np.asarray(susceptibility, np.float32) * inside)[None, None]
    convolve = DipoleConvolution(inside.shape, voxel_size, b0_direction, kernel=kernel)
    field = convolve(sources)[0]
    if background:
        around = convolve(torch.from_numpy(sources_around(inside, voxel_size, rng))[None, None])[0]
        field += around * (background / max(float(around[0, mask].square().mean().sqrt()), 1e-12))
    if snr is not None:
        noise = RandFieldNoise((snr, snr), b0, echo_time)
        signal = None if magnitude is None else torch.from_numpy(np.asarray(magnitude, np.float32))[None]
        field = noise.set_random_state(int(rng.integers(2**31)))(field, signal)
    return field[0].numpy() * mask, mask


def sources_around(brain: NDArray[np.bool_], voxel_size: Sequence[float], rng: np.random.Generator) -> Volume:
    """Draw sources outside of a brain, ``(x, y, z)``, of no unit: bone and air beside it, a sinus on its top.

    They change over about a centimeter, begin :data:`GAP` from the brain and have soft borders, so that the field of a
    band-limited kernel hardly rings. It is harmonic in the brain, nearly.
    """
    distance = ndimage.distance_transform_edt(~brain, sampling=voxel_size).astype(np.float32)
    around = smooth_field(brain.shape, float(min(voxel_size)), 10.0, rng) * np.exp(-distance / 8)
    middle = round(float(ndimage.center_of_mass(brain)[0]))
    half = max(round(SINUS / voxel_size[0]), 1)
    is_over = np.zeros(brain.shape, bool)
    is_over[middle - half : middle + half + 1] = True
    is_over &= (np.cumsum(brain[:, :, ::-1], axis=2)[:, :, ::-1] == 0) & (distance < GAP + 2 * SINUS)
    around += np.float32(rng.uniform(0, 3)) * is_over
    kept = np.zeros(brain.shape, bool)
    kept[3:-3, 3:-3, 3:-3] = True
    kept &= distance > GAP + 1.5 * max(voxel_size)
    smooth = ndimage.gaussian_filter(around * kept, 1.0, mode="constant", truncate=2.0)
    return np.asarray(smooth * (distance > GAP), dtype=np.float32)


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
