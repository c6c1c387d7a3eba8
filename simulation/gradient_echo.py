"""Phase and magnitude of gradient echoes of a head, with what is around the brain: skull, air, and its cavities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..operators.dipole_convolution import DipoleConvolution
from ..operators.field_units import units_per_ppm

Volume = NDArray[np.float32]

AIR, BONE = 9.4, -2.1
"""Susceptibility in ppm relative to water, of air (Schenck 1996, Med Phys 23:815, doi:10.1118/1.597854) and of bone as
in the in-silico head of Marques et al. 2021, doi:10.1002/mrm.28716."""

FLUID, SKULL, SCALP = 2.0, 6.0, 12.0
"""mm from the brain at which they end."""


@dataclass(frozen=True)
class EchoProtocol:
    """How echoes are measured.

    Attributes:
        echo_times: s.
        b0: T.
        snr: of the brain's mean magnitude at time zero; None for no noise.
        offset: largest phase at time zero (rad), which changes smoothly through the head.
        shim: leave of the field in the brain what shims of second order cannot take away.
    """

    echo_times: tuple[float, ...] = (0.004, 0.010, 0.016, 0.022, 0.028)
    b0: float = 3.0
    snr: float | None = 60.0
    offset: float = 1.0
    shim: bool = True


def simulate_echoes(
    field: ArrayLike, magnitude: ArrayLike, t2_star: ArrayLike, protocol: EchoProtocol, rng: np.random.Generator
) -> tuple[Volume, Volume]:
    """Return wrapped phase (rad) and magnitude of ``m s exp(-t / T2* + i (offset + 2 pi gamma B0 field t)) + noise``.

    What the field's slope through a voxel takes of the signal is s, the product of ``sinc(gamma B0 t difference)`` over
    the three axes, with the difference (ppm) from one side of the voxel to the other.

    Args:
        field: ppm, ``(x, y, z)``.
        magnitude: at time zero, of the same shape.
        t2_star: s, of the same shape.
        protocol: times, noise and offset.
        rng: of the noise and the offset.

    Returns:
        Both ``(n, x, y, z)``.
    """
    field, magnitude = np.asarray(field, np.float64), np.asarray(magnitude, np.float64)
    offset = protocol.offset * _tilt(field.shape, rng)
    times = np.asarray(protocol.echo_times)[:, None, None, None]
    per_second = units_per_ppm("rad", protocol.b0, 1.0)
    slopes = [per_second / (2 * np.pi) * times * slope for slope in np.gradient(field)]
    decay = np.exp(-times / np.asarray(t2_star, np.float64)) * np.prod([np.sinc(slope) for slope in slopes], 0)
    signal = magnitude * decay * np.exp(1j * (offset + per_second * field * times))
    if protocol.snr is not None:
        parts = rng.standard_normal((*signal.shape, 2))
        signal = signal + magnitude[magnitude > 0].mean() / protocol.snr * (parts[..., 0] + 1j * parts[..., 1])
    return np.angle(signal).astype(np.float32), np.abs(signal).astype(np.float32)


def surround(brain: ArrayLike, voxel_size: Sequence[float]) -> tuple[Volume, Volume]:
    """Return susceptibility (ppm, relative to water) and magnitude of what surrounds a brain; zero within it.

    A layer of fluid and meninges, a skull without signal, a scalp, air around the head, a cavity of air below the front
    of the brain as the sphenoid sinus, and one at each side as the ear canals.

    Args:
        brain: mask, ``(x, y, z)``, in which x is across, y to the front and z upwards.
        voxel_size: mm.
    """
    inside = np.asarray(brain) > 0
    distance = ndimage.distance_transform_edt(~inside, sampling=voxel_size)
    susceptibility = np.where(distance > SCALP, AIR, np.where((distance > FLUID) & (distance <= SKULL), BONE, 0.0))
    magnitude = np.where(distance > SCALP, 0.0, np.where((distance > FLUID) & (distance <= SKULL), 0.02, 0.8))
    for cavity in _cavities(inside, voxel_size):
        cavity = cavity & (distance > FLUID)
        susceptibility, magnitude = np.where(cavity, AIR, susceptibility), np.where(cavity, 0.0, magnitude)
    return (susceptibility * ~inside).astype(np.float32), (magnitude * ~inside).astype(np.float32)


def total_field(
    susceptibility: ArrayLike, brain: ArrayLike, voxel_size: Sequence[float], b0_direction: Sequence[float], shim: bool
) -> Volume:
    """Return the field (ppm) of all sources, with air around the volume, ``(x, y, z)``.

    By the field of each voxel in image space: that by a kernel in k-space rings at the edges of air and bone, and what
    rings is no field of sources outside.

    Args:
        susceptibility: relative to water, with air at the border of the volume.
        brain: mask within which the shim works.
        voxel_size: mm.
        b0_direction: in voxel axes.
        shim: subtract what shims of second order make that is nearest in the brain.
    """
    relative = torch.from_numpy(np.asarray(susceptibility, np.float32) - np.float32(AIR))[None, None]
    convolve = DipoleConvolution(relative.shape[-3:], voxel_size, b0_direction, kernel="image")
    field = convolve(relative)[0, 0].numpy()
    inside = np.asarray(brain) > 0
    return (field - shim_field(field, inside, voxel_size)).astype(np.float32) if shim else field - field[inside].mean()


def shim_field(
    values: NDArray[np.floating], mask: NDArray[np.bool_], voxel_size: Sequence[float]
) -> NDArray[np.float64]:
    """Return what shims of second order make that is nearest to values ``(x, y, z)`` in a mask, everywhere.

    Shims lie outside of the head: their fields are harmonic, ``1, x, y, z, xy, xz, yz, x^2 - y^2, 2 z^2 - x^2 - y^2``.
    """
    places = [(np.arange(n) - (n - 1) / 2) * s / 100 for n, s in zip(values.shape, voxel_size, strict=True)]
    x, y, z = np.meshgrid(*places, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x**2 - y**2, 2 * z**2 - x**2 - y**2], -1)
    weights = np.linalg.lstsq(terms[mask], values[mask], rcond=None)[0]
    return np.asarray(terms @ weights)


def _cavities(inside: NDArray[np.bool_], voxel_size: Sequence[float]) -> list[NDArray[np.bool_]]:
    """Return ellipsoids below the front of the brain and at its sides."""
    sizes = np.asarray(voxel_size, float)
    low, high = (f(np.argwhere(inside), axis=0) * sizes for f in (np.min, np.max))
    x, y, z = (np.arange(n) * s for n, s in zip(inside.shape, sizes, strict=True))
    middle = (low + high) / 2
    places = [
        ((middle[0], low[1] + 0.72 * (high[1] - low[1]), low[2] + 0.22 * (high[2] - low[2])), (12.0, 14.0, 9.0)),
        ((low[0] - 4, middle[1], low[2] + 0.2 * (high[2] - low[2])), (12.0, 4.0, 4.0)),
        ((high[0] + 4, middle[1], low[2] + 0.2 * (high[2] - low[2])), (12.0, 4.0, 4.0)),
    ]
    return [
        ((x - c[0]) / r[0])[:, None, None] ** 2 + ((y - c[1]) / r[1])[:, None] ** 2 + ((z - c[2]) / r[2]) ** 2 < 1
        for c, r in places
    ]


def _tilt(shape: Sequence[int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a plane through a volume of a random direction, from -1 to 1."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    direction = rng.normal(size=3)
    plane = np.tensordot(direction, np.stack(axes), 1)
    return plane / np.abs(plane).max()
