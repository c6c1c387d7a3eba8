"""Acquire an image of simulated tissue: partial volume, coil shading, noise, slices."""

from __future__ import annotations

import numpy as np
from monai.transforms import RandBiasField
from numpy.typing import NDArray
from scipy import ndimage

from .deformation import Grid, upsample
from .protocols import Protocol, signals
from .slices import between_slices, slice_profile
from .tissues import NON_LESIONS

Volume = NDArray[np.float32]

INTENSITY_OF_WHITE_MATTER = 400.0


def acquire(
    tissues: dict[str, Volume],
    protocol: Protocol,
    grid: Grid,
    contrast: str,
    rng: np.random.Generator,
    slice_thickness: float | None = None,
) -> tuple[Volume, NDArray[np.float64], float]:
    """Play a protocol on tissue fractions ``(x, y, z)``.

    Signed signals add up in a voxel; shading, slices and complex noise follow; the magnitude is what is left (Rician).

    Returns:
        The image, its affine (that of ``grid``, or with slices of ``slice_thickness``), and the slice thickness (mm).
    """
    values = signals(protocol, rng) | {name: float(protocol.signal(t)) for name, t in NON_LESIONS.items()}
    values["lesion"] += (values["lesion"] - values["white_matter"]) * _gain(contrast, rng)
    signal = np.sum([tissues[name] * np.float32(values[name]) for name in tissues], axis=0, dtype=np.float32)
    signal *= _texture(signal.shape, rng) * _shading(signal.shape, rng)
    spacing = float(grid.affine[2, 2])
    affine = grid.affine.copy()
    is_thick = contrast != "FLAIR" and slice_thickness is None
    thickness = rng.uniform(1.0, 3.5) if is_thick else slice_thickness or spacing
    n_slices = max(round(grid.shape[2] * spacing / thickness), 1)
    signal = slice_profile(signal, thickness / spacing, n_slices)
    signal = _magnitude_with_noise(signal, abs(values["white_matter"]) * rng.uniform(0.01, 0.04), rng)
    if slice_thickness is None:
        signal = between_slices(signal, grid.shape[2])
    else:
        affine[2, 2] = spacing * grid.shape[2] / n_slices
        affine[2, 3] += (affine[2, 2] - spacing) / 2
    return signal * (INTENSITY_OF_WHITE_MATTER / abs(values["white_matter"])), affine, thickness


def _gain(contrast: str, rng: np.random.Generator) -> float:
    """By how much a FLAIR shows lesions better than the equation says: trains of variable flip angles do, by site."""
    gain = rng.uniform(-0.1, 0.7)
    return gain if contrast == "FLAIR" else 0.0


def _magnitude_with_noise(signal: Volume, standard_deviation: float, rng: np.random.Generator) -> Volume:
    real = signal + standard_deviation * rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = standard_deviation * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.hypot(real, imaginary)


def _texture(shape: tuple[int, ...], rng: np.random.Generator, correlation: float = 1.0) -> Volume:
    """Tissue is not even: a smooth factor of one with a spread of 2 %."""
    field = ndimage.gaussian_filter(rng.standard_normal([n // 3 + 1 for n in shape], dtype=np.float32), correlation)
    return 1 + np.float32(0.02) * upsample(field[None] / field.std(), shape)[0]


def _shading(shape: tuple[int, ...], rng: np.random.Generator) -> Volume:
    """A receive coil's smooth factor, evaluated on every fourth voxel (Legendre polynomials, MONAI)."""
    coarse = np.ones((1, *(n // 4 + 1 for n in shape)), np.float32)
    bias = RandBiasField(prob=1.0, degree=3, coeff_range=(-0.08, 0.08))
    bias.set_random_state(int(rng.integers(2**31)))
    return upsample(np.asarray(bias(coarse)), shape)[0]
