"""How a field is measured, and ranges from which that is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..transforms.field_noise import noise_level

NOISE = (0.3, 10.0)  # ppb
BACKGROUND = (0.2, 3.0)  # ppb, in half of the subjects
SHADING = (0.2, 0.7)  # in half of the subjects
SPACING = (0.8, 1.5)  # mm, in the plane
THICKEST = 3.0  # mm


@dataclass(frozen=True)
class FieldProtocol:
    """How a field is measured.

    Attributes:
        b0_direction: in voxel axes, of any length but zero.
        spacing: voxel size (mm) to which the maps are averaged; None for that of the map.
        snr: where the magnitude is full, see :class:`RandFieldNoise`; None for no noise.
        erosion: mm by which the mask loses its border.
        b0: T.
        echo_time: s.
        background: ppm, root mean square in the mask of what is left of fields from outside of the brain.
        shading: share by which the magnitude falls from the brain's brightest to its darkest place, and with iron; 0
            for noise that is the same everywhere.
    """

    b0_direction: tuple[float, float, float] = (0.0, 0.0, 1.0)
    spacing: tuple[float, float, float] | None = None
    snr: float | None = 40.0
    erosion: float = 0.0
    b0: float = 3.0
    echo_time: float = 0.02
    background: float = 0.0
    shading: float = 0.0


def draw_protocol(rng: np.random.Generator, spacing: float) -> FieldProtocol:
    """Draw how the field of a subject is measured, for a map of cubic voxels.

    Tilts of the head are up to 40 degrees, noise :data:`NOISE` (log-uniform, in the field where the magnitude is full),
    slices one, two or three times as thick as the voxel up to :data:`THICKEST`, and the mask loses up to 2 mm.
    """
    axis, tilt = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(0, 40))
    direction = (np.sin(tilt) * np.cos(axis), np.sin(tilt) * np.sin(axis), np.cos(tilt))
    factors = [n for n in (1, 1, 2, 3) if n == 1 or n * spacing <= THICKEST]
    thickness = spacing * float(rng.choice(factors))
    noise, left = (1e-3 * float(np.exp(rng.uniform(*np.log(range_)))) for range_ in (NOISE, BACKGROUND))
    return FieldProtocol(
        tuple(map(float, direction)),  # type: ignore[arg-type]
        (spacing, spacing, thickness),
        snr=noise_level(1.0) / noise,
        erosion=float(rng.choice([0.0, 1.0, 2.0])),
        background=left * float(rng.random() < 0.5),
        shading=float(rng.uniform(*SHADING)) * float(rng.random() < 0.5),
    )
