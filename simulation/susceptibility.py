"""Susceptibility of a simulated head, from fractions of its tissues.

Means are those of the in-silico head of the second reconstruction challenge [1], of volunteers at 7 T; spreads between
subjects are wide enough for the ranges of in-vivo [2, 3] and post-mortem studies [4], and for a network to meet values
that differ from the means. Susceptibility of white matter depends on the direction of its fibers [3]; here it does not.
A vein's is that of blood at 55 to 75 % oxygenation, reduced by what its wall and its neighbors take from a voxel.
Lesions are more paramagnetic than the white matter that they replace [5], some with a rim of iron-laden cells [6].

[1] Marques et al. 2021, Magn Reson Med 86:526, doi:10.1002/mrm.28716; [2] Deistung et al. 2013, NeuroImage 65:299,
doi:10.1016/j.neuroimage.2012.09.055; [3] Wharton and Bowtell 2012, Proc Natl Acad Sci 109:18559,
doi:10.1073/pnas.1211075109; [4] Langkammer et al. 2012, NeuroImage 62:1593, doi:10.1016/j.neuroimage.2012.05.049;
[5] Zhang et al. 2016, Am J Neuroradiol 37:1629, doi:10.3174/ajnr.A4825; [6] Jang et al. 2020, J Clin Neurol 16:562,
doi:10.3988/jcn.2020.16.4.562.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .deformation import upsample
from .susceptibility_sources import blobs, lesion_rims, veins

Volume = NDArray[np.float32]


class Susceptibility(NamedTuple):
    """What one tissue has, in ppm: the mean, its spread over subjects, and its spread within a subject."""

    mean: float
    between: float
    within: float


SUSCEPTIBILITIES: dict[str, Susceptibility] = {
    "white_matter": Susceptibility(-0.030, 0.008, 0.008),
    "gray_matter": Susceptibility(0.020, 0.008, 0.008),
    "thalamus": Susceptibility(0.020, 0.015, 0.012),
    "caudate": Susceptibility(0.044, 0.020, 0.012),
    "putamen": Susceptibility(0.038, 0.025, 0.015),
    "pallidum": Susceptibility(0.131, 0.035, 0.020),
    "csf": Susceptibility(0.019, 0.004, 0.002),
    "lesion": Susceptibility(0.010, 0.015, 0.010),
    "vessel": Susceptibility(0.190, 0.060, 0.020),
    "muscle": Susceptibility(0.000, 0.010, 0.010),
    "fat": Susceptibility(0.019, 0.010, 0.010),
    "marrow": Susceptibility(0.019, 0.010, 0.010),
    "bone": Susceptibility(-2.100, 0.200, 0.100),
}
TEXTURE_LENGTHS = (3.0, 8.0)  # mm, standard deviations of the Gaussians that smooth it


def simulate_susceptibility(
    tissues: Mapping[str, ArrayLike],
    voxel_size: Sequence[float],
    rng: np.random.Generator,
    lesions: ArrayLike | None = None,
    reference: Literal["csf", "mean"] = "csf",
) -> Volume:
    """Draw a susceptibility map (ppm) of a head.

    Tissues differ by their means of this subject and have a smooth texture. Veins, calcifications, and deposits of iron
    like those of the nuclei that have no map (red nucleus, substantia nigra, dentate nucleus) are added at random.

    Args:
        tissues: fractions, ``(x, y, z)``, of tissues of :data:`SUSCEPTIBILITIES`.
        voxel_size: mm along each axis.
        rng: source of all randomness.
        lesions: mask, ``(x, y, z)``, of lesions, some of which get an iron rim. Their inside is the tissue ``lesion``.
        reference: what is zero: the fluid of this subject, or the mean over the head.

    Returns:
        ``(x, y, z)``, zero where there is no tissue.

    Raises:
        ValueError: for tissues without a known susceptibility or of differing shapes, or another ``reference``.
    """
    fractions = {name: np.asarray(fraction, np.float32) for name, fraction in tissues.items()}
    _check(fractions, reference)
    values = {name: rng.normal(s.mean, s.between) for name, s in SUSCEPTIBILITIES.items()}
    head = np.sum(list(fractions.values()), axis=0, dtype=np.float32)
    chi = np.zeros_like(head)
    for name, fraction in fractions.items():
        texture = SUSCEPTIBILITIES[name].within * smooth_noise(head.shape, voxel_size, rng)
        chi += fraction * (np.float32(values[name] - values["csf"]) + texture)
    brain = np.sum([f for name, f in fractions.items() if name in ("white_matter", "gray_matter")], axis=0) > 0.5
    for sources, low, high in (
        (blobs(brain, voxel_size, rng, int(rng.integers(2, 7)), (2.0, 5.0)), 0.05, 0.20),
        (veins(brain, voxel_size, rng, int(rng.integers(10, 40))), 0.10, 0.35),
        (blobs(brain, voxel_size, rng, int(rng.poisson(0.7)), (0.8, 2.0)), -3.0, -0.3),
    ):
        chi += sources * (np.float32(rng.uniform(low, high)) - chi)
    if lesions is not None:
        chi += lesion_rims(np.asarray(lesions) > 0, voxel_size, rng)
    if reference == "mean":
        chi -= head * (chi.sum() / max(head.sum(), 1e-6))
    return chi.astype(np.float32)


def smooth_noise(shape: tuple[int, ...], voxel_size: Sequence[float], rng: np.random.Generator) -> Volume:
    """Draw a smooth field of mean 0 and standard deviation 1, with structure of several lengths."""
    total = np.zeros(shape, np.float32)
    for length in TEXTURE_LENGTHS:
        step = length / 2  # mm, of the grid that it is drawn on
        coarse_shape = [int(n * size / step) + 2 for n, size in zip(shape, voxel_size, strict=True)]
        coarse = ndimage.gaussian_filter(rng.standard_normal(coarse_shape, dtype=np.float32), length / step)
        total += upsample(coarse[None] / max(float(coarse.std()), 1e-6), shape)[0]
    total -= total.mean()
    return total / max(float(total.std()), 1e-6)


def _check(fractions: Mapping[str, Volume], reference: str) -> None:
    if unknown := [name for name in fractions if name not in SUSCEPTIBILITIES]:
        raise ValueError(f"no susceptibility of {', '.join(unknown)}; known are {', '.join(SUSCEPTIBILITIES)}")
    shapes = {fraction.shape for fraction in fractions.values()}
    if len(shapes) != 1:
        raise ValueError(f"tissues must be at least one, of one shape, got shapes {sorted(shapes)}")
    if reference not in ("csf", "mean"):
        raise ValueError(f"reference must be 'csf' or 'mean', got {reference!r}")
