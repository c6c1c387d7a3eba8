"""Nuclei that label maps lack: red nucleus, substantia nigra, dentate nucleus, placed by those that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from .susceptibility_sources import Ellipsoid

Volume = NDArray[np.float32]

LANDMARKS = {
    "thalamus": (12.0, -18.0, 7.0),
    "caudate": (13.0, 10.0, 10.0),
    "putamen": (26.0, 1.0, 1.0),
    "pallidum": (19.0, -4.0, -1.0),
}
"""Centers of nuclei of the right side in MNI152 space (mm), to about two millimeters."""


class Nucleus(NamedTuple):
    """One nucleus of the right side.

    Attributes:
        center: MNI152, mm.
        half_axes: mm.
        tilt: degrees, about the axis from back to front: of its outer end upwards.
        susceptibility: ppm, Marques et al. 2021.
        between: ppm, spread over subjects.
        core: relative size of an inside that is not of it (the dentate nucleus is a sheet).
    """

    center: tuple[float, float, float]
    half_axes: tuple[float, float, float]
    tilt: float
    susceptibility: float
    between: float
    core: float = 0.0


NUCLEI = {
    "red_nucleus": Nucleus((5.0, -21.0, -8.0), (3.0, 3.2, 4.0), 0.0, 0.100, 0.030),
    "substantia_nigra": Nucleus((10.0, -18.0, -12.0), (6.0, 5.5, 1.6), 35.0, 0.111, 0.035),
    "subthalamic_nucleus": Nucleus((11.0, -13.0, -7.0), (4.5, 2.5, 1.3), 35.0, 0.111, 0.035),
    "dentate_nucleus": Nucleus((15.0, -57.0, -34.0), (7.0, 9.0, 5.0), -20.0, 0.110, 0.035, core=0.72),
}


def place_nuclei(
    fractions: Mapping[str, Volume], voxel_size: Sequence[float], rng: np.random.Generator
) -> list[tuple[Ellipsoid, float]] | None:
    """Place :data:`NUCLEI` on both sides of a head, each with a susceptibility (ppm); None without landmarks.

    Args:
        fractions: of tissues, ``(x, y, z)``, x to the right, y to the front, z up.
        voxel_size: mm.
        rng: source of all randomness.
    """
    found = [name for name in LANDMARKS if name in fractions and fractions[name].sum() > 0]
    if len(found) < len(LANDMARKS):
        return None
    sizes = np.asarray(voxel_size, float)
    template, head = [], []
    middle = ndimage.center_of_mass(fractions["thalamus"])[0]
    for name in found:
        for side, half in ((-1, slice(None, int(middle))), (1, slice(int(middle), None))):
            center = np.array(ndimage.center_of_mass(fractions[name][half]))
            center[0] += half.start or 0
            template.append(np.multiply(LANDMARKS[name], (side, 1, 1)))
            head.append(center * sizes)
    turn, scale, (before, after) = _similarity(np.array(template), np.array(head))
    placed = []
    for nucleus in NUCLEI.values():
        value = rng.normal(nucleus.susceptibility, nucleus.between)
        for side in (-1, 1):
            place = turn @ (np.multiply(nucleus.center, (side, 1, 1)) - before) * scale + after + rng.normal(0, 0.7, 3)
            tilt = Rotation.from_euler("y", -side * nucleus.tilt, degrees=True).as_matrix()
            axes = np.array(nucleus.half_axes) * scale * rng.uniform(0.85, 1.15, 3)
            placed.append(
                (Ellipsoid(place / sizes, axes, turn @ tilt, nucleus.core), float(value * rng.uniform(0.9, 1.1)))
            )
    return placed


def _similarity(
    template: NDArray[np.float64], head: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The turn and the scale that bring points of the template to those of a head, and both centers."""
    before, after = template.mean(0), head.mean(0)
    turn = Rotation.align_vectors(head - after, template - before)[0].as_matrix()
    return turn, float(np.linalg.norm(head - after) / np.linalg.norm(template - before)), (before, after)
