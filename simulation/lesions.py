"""Multiple-sclerosis lesions for simulated heads: where they lie, how large they are, how they grow.

Sizes are log-normal with the mean and spread of ln(volume) measured over the 29 consensus masks of Lesjak et al. 2018
(Neuroinformatics 16:51, doi:10.1007/s12021-017-9348-7; components of at least 3 mm^3). Places are those of the
diagnostic criteria (Thompson et al. 2018, Lancet Neurol 17:162): periventricular, juxtacortical, infratentorial, and
the rest of the white matter; their shares are chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

Volume = NDArray[np.float32]

PLACES = {"periventricular": 0.40, "juxtacortical": 0.20, "infratentorial": 0.07, "deep": 0.33}
LOG_VOLUME_MEAN, LOG_VOLUME_SD = 3.2, 1.41
LARGEST = 15_000.0
MIN_LESION_VOLUME = 3.0  # mm^3, and at least as many voxels


def lesion_places(
    white_matter: Volume, gray_matter: Volume, ventricles: Volume, infratentorial: Volume, voxel_size: float
) -> dict[str, NDArray[np.bool_]]:
    """Where lesions of each place of :data:`PLACES` may start; all maps of shape ``(x, y, z)``, fractions 0 to 1.

    Periventricular: within 5 mm of the ventricles; juxtacortical: within 2.5 mm of gray matter, away from the
    ventricles; infratentorial: brain stem and cerebellum; deep: the white matter that is left.
    """
    white = white_matter > 0.6
    near_ventricle = ndimage.distance_transform_edt(ventricles < 0.5) * voxel_size
    near_cortex = ndimage.distance_transform_edt(gray_matter < 0.5) * voxel_size <= 2.5
    below = white & (infratentorial > 0.5)
    periventricular = white & (near_ventricle <= 5) & ~below
    juxtacortical = white & near_cortex & (near_ventricle > 12) & ~below
    return {
        "periventricular": periventricular,
        "juxtacortical": juxtacortical,
        "infratentorial": below,
        "deep": white & ~periventricular & ~juxtacortical & ~below,
    }


def grow_lesions(
    places: dict[str, NDArray[np.bool_]], n_lesions: int, voxel_size: float, rng: np.random.Generator
) -> Volume:
    """Grow lesions from random seeds: soft ellipsoids with an irregular border, Gaussian fall-off of 1 to 2 mm.

    Periventricular ones are drawn out along the left-right axis, as the veins run there ("Dawson's fingers").

    Returns:
        Share of lesion tissue in each voxel, ``(x, y, z)``, before restriction to tissue that can have lesions; 0.5 at
        the border.
    """
    shares = np.zeros(places["deep"].shape, np.float32)
    seeds = {place: np.flatnonzero(mask) for place, mask in places.items()}
    open_places = [place for place in PLACES if seeds[place].size]
    weights = np.array([PLACES[place] for place in open_places])
    for _ in range(n_lesions):
        place = open_places[rng.choice(len(open_places), p=weights / weights.sum())]
        center = np.unravel_index(rng.choice(seeds[place]), shares.shape)
        volume = min(rng.lognormal(LOG_VOLUME_MEAN, LOG_VOLUME_SD), LARGEST)
        lesion = _grow_one(volume, place == "periventricular", voxel_size, rng)
        _paste_maximum(shares, lesion, center)
    return shares


def _grow_one(volume: float, periventricular: bool, voxel_size: float, rng: np.random.Generator) -> Volume:
    radius = (3 * volume / (4 * np.pi)) ** (1 / 3) / voxel_size
    axes = np.sort(rng.uniform(0.7, 1.5, 3))[::-1]
    axes *= radius / np.prod(axes) ** (1 / 3)
    spread = 15 if periventricular else 180
    turn = Rotation.from_euler("zyx", rng.normal(0, 1, 3) * spread, degrees=True).as_matrix()
    half = int(np.ceil(axes[0] * 1.5 + 3))
    points = np.stack(np.meshgrid(*[np.arange(-half, half + 1)] * 3, indexing="ij"), -1) - rng.uniform(-0.5, 0.5, 3)
    depth = (1 - np.linalg.norm(points @ turn.T / axes, axis=-1)) * radius * voxel_size
    border = ndimage.gaussian_filter(rng.normal(size=depth.shape), 1.5 / voxel_size)
    depth += border / border.std() * min(0.25 * radius * voxel_size, 1.5)
    return (1 / (1 + np.exp(-depth * 4 / rng.uniform(1.0, 2.0)))).astype(np.float32)


def _paste_maximum(volume: Volume, patch: Volume, center: tuple[np.intp, ...]) -> None:
    half = patch.shape[0] // 2
    low = [max(int(c) - half, 0) for c in center]
    high = [min(int(c) + half + 1, n) for c, n in zip(center, volume.shape, strict=True)]
    target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    source = tuple(slice(a - int(c) + half, b - int(c) + half) for a, b, c in zip(low, high, center, strict=True))
    np.maximum(volume[target], patch[source], out=volume[target])


def vary_severity(shares: Volume, rng: np.random.Generator, low: float = 0.35, high: float = 1.0) -> Volume:
    """Draw how far each lesion (connected component of ``shares > 0.5``) has lost its tissue, ``low`` to ``high``.

    Returns:
        A factor for each voxel, ``(x, y, z)``, the nearest lesion's.
    """
    labels, n_lesions = ndimage.label(shares > 0.5, structure=np.ones((3, 3, 3)))
    if not n_lesions:
        return np.ones_like(shares)
    severities = rng.uniform(low, high, n_lesions + 1).astype(np.float32)
    reached = ndimage.maximum_filter(labels, size=5)
    return severities[np.where(labels > 0, labels, reached)]


def remove_small(mask: NDArray[np.bool_], min_volume: float, voxel_volume: float) -> NDArray[np.bool_]:
    """Drop the components (26-connectivity) smaller than ``min_volume`` (mm^3)."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    keep = np.bincount(labels.ravel()) * voxel_volume >= min_volume
    keep[0] = False
    return keep[labels]


def settle(
    shares: Volume, voxel_volume: float, rng: np.random.Generator, mildest: float = 0.35
) -> tuple[Volume, NDArray[np.bool_]]:
    """Leave out what is too small to be a lesion, and vary how severe the others are.

    Args:
        shares: of lesions in each voxel.
        voxel_volume: mm^3.
        rng: draws the severities.
        mildest: lowest severity.

    Returns:
        How much of each voxel has changed, and the mask of the lesions.
    """
    lesions = remove_small(shares > 0.5, MIN_LESION_VOLUME * max(1.0, voxel_volume), voxel_volume)
    shares = np.where(lesions | (shares < 0.5), shares, 0).astype(np.float32)
    return shares * vary_severity(shares, rng, mildest), lesions
