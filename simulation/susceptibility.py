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

from .susceptibility_fibers import fiber_effect
from .susceptibility_nuclei import place_nuclei
from .susceptibility_sources import draw_blobs, lesion_rims, shares_of
from .susceptibility_texture import power_law_fields, tissue_texture
from .susceptibility_veins import draw_veins
from .tissues import BRAIN_TISSUES

Volume = NDArray[np.float32]


class Susceptibility(NamedTuple):
    """What one tissue has, in ppm: the mean, its spread over subjects, and its spread within a subject."""

    mean: float
    between: float
    within: float


SUSCEPTIBILITIES: dict[str, Susceptibility] = {
    "white_matter": Susceptibility(-0.030, 0.008, 0.011),
    "gray_matter": Susceptibility(0.020, 0.008, 0.013),
    "thalamus": Susceptibility(0.020, 0.015, 0.013),
    "caudate": Susceptibility(0.044, 0.020, 0.012),
    "putamen": Susceptibility(0.038, 0.025, 0.016),
    "pallidum": Susceptibility(0.131, 0.035, 0.024),
    "csf": Susceptibility(0.019, 0.004, 0.004),
    "lesion": Susceptibility(0.010, 0.015, 0.010),
    "vessel": Susceptibility(0.190, 0.060, 0.020),
    "muscle": Susceptibility(0.000, 0.010, 0.010),
    "fat": Susceptibility(0.019, 0.010, 0.010),
    "marrow": Susceptibility(0.019, 0.010, 0.010),
    "bone": Susceptibility(-2.100, 0.200, 0.100),
}
BLOOD = (0.25, 0.45)  # ppm above fluid; of whole veins, the tissue ``vessel`` is what voxels have of them on average
ROUGHNESS, PATCHES = 0.12, 0.15  # of small sources: relative spreads of radius and of susceptibility
CALCIFICATION, MICROBLEED, HEMORRHAGE, DEPOSIT = (-3.0, -0.3), (0.3, 2.0), (0.3, 1.5), (0.05, 0.20)  # ppm


def simulate_susceptibility(  # noqa: PLR0913 - the options of one map
    tissues: Mapping[str, ArrayLike],
    voxel_size: Sequence[float],
    rng: np.random.Generator,
    lesions: ArrayLike | None = None,
    reference: Literal["csf", "mean"] = "csf",
    *,
    texture: float = 1.0,
    b0_direction: Sequence[float] | None = None,
    sources: bool = True,
    image: ArrayLike | None = None,
) -> Volume:
    """Draw a susceptibility map (ppm) of a head.

    Tissues differ by their means of this subject and have a texture. Trees of veins, iron-laden nuclei that have no map
    (red nucleus, substantia nigra, dentate nucleus; blobs at random where there are no nuclei to place them by),
    calcifications, microbleeds and now and then a hemorrhage are added.

    Args:
        tissues: fractions, ``(x, y, z)``, of tissues of :data:`SUSCEPTIBILITIES`; x to the right, y to the front.
        voxel_size: mm along each axis.
        rng: source of all randomness; each part has a stream of its own.
        lesions: mask, ``(x, y, z)``, of lesions, some of which get an iron rim. Their inside is the tissue ``lesion``.
        reference: what is zero: the fluid of this subject, or the mean over the head.
        texture: factor of the spreads within tissues.
        b0_direction: in voxel axes, by which fibers of white matter differ; None for white matter without directions.
        sources: whether to add veins, nuclei and the others.
        image: of the anatomy, ``(x, y, z)``, whose variation within tissues the texture takes up.

    Returns:
        ``(x, y, z)``, zero where there is no tissue.

    Raises:
        ValueError: for tissues without a known susceptibility or of differing shapes, or another ``reference``.
    """
    fractions = {name: np.asarray(fraction, np.float32) for name, fraction in tissues.items()}
    _check(fractions, reference)
    for_means, for_texture, for_fibers, for_sources, for_rims = rng.spawn(5)
    values = {name: for_means.normal(s.mean, s.between) for name, s in SUSCEPTIBILITIES.items()}
    head = np.sum(list(fractions.values()), axis=0, dtype=np.float32)
    spreads = {name: texture * s.within for name, s in SUSCEPTIBILITIES.items()}
    shades = None if image is None else np.asarray(image, np.float32)
    chi = tissue_texture(fractions, spreads, voxel_size, for_texture, shades)
    for name, fraction in fractions.items():
        chi += fraction * np.float32(values[name] - values["csf"])
    if b0_direction is not None and "white_matter" in fractions:
        chi += fiber_effect(fractions["white_matter"], voxel_size, b0_direction, for_fibers)
    if sources:
        _add_sources(chi, fractions, voxel_size, for_sources, values["csf"])
    if lesions is not None:
        chi += lesion_rims(np.asarray(lesions) > 0, voxel_size, for_rims)
    if reference == "mean":
        chi -= head * (chi.sum() / max(head.sum(), 1e-6))
    return chi.astype(np.float32)


def _add_sources(
    chi: Volume, fractions: Mapping[str, Volume], voxel_size: Sequence[float], rng: np.random.Generator, of_fluid: float
) -> None:
    for_nuclei, for_veins, for_blobs = rng.spawn(3)
    nothing = np.zeros_like(chi)
    white, fluid = (fractions.get(name, nothing) for name in ("white_matter", "csf"))
    tissue = np.sum([f for name, f in fractions.items() if name in BRAIN_TISSUES and name != "csf"], axis=0) + nothing
    inside = white + fractions.get("gray_matter", nothing) > 0.5
    kinds = [
        (int(for_blobs.poisson(0.7)), (0.8, 2.0), CALCIFICATION),
        (int(for_blobs.poisson(0.5)), (0.8, 2.0), MICROBLEED),
        (int(for_blobs.random() < 0.05), (3.0, 8.0), HEMORRHAGE),
    ]
    patches = power_law_fields(chi.shape, voxel_size, for_blobs, 1, 3.0)[0].clip(-2, 2)
    placed = place_nuclei(fractions, voxel_size, for_nuclei)
    if placed is None:
        kinds.append((int(for_blobs.integers(2, 7)), (2.0, 5.0), DEPOSIT))
    placed = [(nucleus, value - of_fluid) for nucleus, value in placed or []]
    for n_blobs, radius, (low, high) in kinds:
        placed += [(blob, for_blobs.uniform(low, high)) for blob in draw_blobs(inside, for_blobs, n_blobs, radius)]
    for source, value in placed:
        box, shares = shares_of(source, chi.shape, voxel_size, ROUGHNESS * patches)
        chi[box] += shares * np.minimum(tissue[box], 1) * (value * (1 + PATCHES * patches[box]) - chi[box])
    veins = draw_veins(tissue, fluid, white, voxel_size, for_veins)
    chi += veins * (np.float32(for_veins.uniform(*BLOOD)) - chi)


def _check(fractions: Mapping[str, Volume], reference: str) -> None:
    if unknown := [name for name in fractions if name not in SUSCEPTIBILITIES]:
        raise ValueError(f"no susceptibility of {', '.join(unknown)}; known are {', '.join(SUSCEPTIBILITIES)}")
    shapes = {fraction.shape for fraction in fractions.values()}
    if len(shapes) != 1:
        raise ValueError(f"tissues must be at least one, of one shape, got shapes {sorted(shapes)}")
    if reference not in ("csf", "mean"):
        raise ValueError(f"reference must be 'csf' or 'mean', got {reference!r}")
