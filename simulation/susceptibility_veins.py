"""Veins of a head as trees of tubes: on the cortex, on the ventricles' walls, and through white matter to these.

A vein's share of a voxel is that of its volume: veins thinner than a voxel are as faint as they are thin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]
Points = NDArray[np.float64]

SURFACE_LENGTH = 1.2  # mm, over which tissue is averaged to find its surface
MEDULLARY_LENGTH = 5.0  # mm, over which ventricles are averaged to find the way out of them
DEEP = 14.0  # mm below the head's surface, where fluid is that of ventricles
CHILDREN = 2  # of each vein at most; those that would begin after its end do not grow
THINNER, SHORTER = 0.65, 0.5  # radius and length of a child, relative to its parent's there


class Veins(NamedTuple):
    """Paths of veins, of one number of steps.

    Attributes:
        paths: ``(n, steps, 3)``, voxels.
        radii: ``(n, steps)``, mm, falling from the first step on.
    """

    paths: Points
    radii: Points


def draw_veins(
    tissue: Volume, fluid: Volume, white_matter: Volume, voxel_size: Sequence[float], rng: np.random.Generator
) -> Volume:
    """Draw the veins of a head.

    Args:
        tissue: fraction of all that is no fluid, ``(x, y, z)``.
        fluid: fraction of cerebrospinal fluid.
        white_matter: fraction of it.
        voxel_size: mm.
        rng: source of all randomness.

    Returns:
        Share of each voxel that they take, ``(x, y, z)``.
    """
    sizes = np.asarray(voxel_size, float)
    head = tissue + fluid
    milliliters = float(head.sum() * np.prod(sizes)) / 1000
    surface = ndimage.gaussian_filter(tissue, SURFACE_LENGTH / sizes)
    trees = grow(surface, on_surface(surface, sizes), sizes, rng, round(milliliters / 16), (0.25, 0.9), (30, 70))
    ventricles = fluid * (ndimage.uniform_filter(head, (2 * DEEP / sizes).astype(int)) > 0.999)
    if ventricles.sum() * np.prod(sizes) > 500:
        wall = ndimage.gaussian_filter(1 - ventricles, SURFACE_LENGTH / sizes)
        trees += grow(wall, on_surface(wall, sizes), sizes, rng, 10, (0.3, 0.9), (20, 50))
        far = ndimage.gaussian_filter(1 - ventricles, MEDULLARY_LENGTH / sizes)
        start = np.where(white_matter > 0.5, far, np.float32(0))
        trees += grow(
            start, outwards(far, sizes), sizes, rng, round(milliliters / 8), (0.12, 0.4), (12, 30), (0.6, 0.97)
        )
    shares = sum((tube_shares(veins, tissue.shape, sizes) for veins in trees), np.zeros(tissue.shape, np.float32))
    return np.minimum(shares, head).astype(np.float32)


Steering = Callable[[Points, Points], Points]
"""New headings ``(n, 3)`` (mm) from places (voxels) and headings."""


def grow(  # noqa: PLR0913 - what a tree is made of
    level: Volume,
    steer: Steering,
    sizes: NDArray[np.float64],
    rng: np.random.Generator,
    n_veins: int,
    radius: tuple[float, float],
    length: tuple[float, float],
    between: tuple[float, float] = (0.35, 0.65),
    n_generations: int = 3,
) -> list[Veins]:
    """Grow trees from places where a level is between two values, each generation from points of the last one."""
    places = np.argwhere((level > between[0]) & (level < between[1]))
    if not len(places) or not n_veins:
        return []
    starts = places[rng.integers(len(places), size=n_veins)].astype(float)
    thickness = np.exp(rng.uniform(np.log(radius[0]), np.log(radius[1]), n_veins))
    longest = length[1]
    trees = []
    for _ in range(n_generations):
        trees.append(
            _walk(starts, thickness, rng.uniform(length[0] / length[1], 1, len(starts)) * longest, steer, sizes, rng)
        )
        veins = trees[-1]
        parents, steps = (rng.integers(n, size=CHILDREN * len(starts)) for n in veins.radii.shape)
        thickness, starts = veins.radii[parents, steps] * THINNER, veins.paths[parents, steps]
        starts, thickness, longest = starts[thickness > 0], thickness[thickness > 0], longest * SHORTER
    return trees


def on_surface(level: Volume, sizes: NDArray[np.float64]) -> Steering:
    """Steer along the surface where a level is a half."""

    def steer(places: Points, headings: Points) -> Points:
        value, slope = _slope(level, places, sizes)
        along = headings - (headings * slope).sum(1, keepdims=True) * slope
        return along + 2.0 * (0.5 - value)[:, None] * slope

    return steer


def outwards(level: Volume, sizes: NDArray[np.float64]) -> Steering:
    """Steer to where a level is higher."""
    return lambda places, headings: headings + 0.3 * _slope(level, places, sizes)[1]


def tube_shares(veins: Veins, shape: Sequence[int], sizes: NDArray[np.float64]) -> Volume:
    """Share of each voxel (of ``sizes``, mm) that tubes take: their volume is spread over points of their discs."""
    radii = veins.radii[:, :-1].ravel()
    steps = np.diff(veins.paths, axis=1).reshape(-1, 3) * sizes
    lengths = np.linalg.norm(steps, axis=1)
    exists = (radii > 0) & (lengths > 0)
    radii, steps, lengths = radii[exists], steps[exists], lengths[exists]
    middles = ((veins.paths[:, :-1] + veins.paths[:, 1:]) / 2).reshape(-1, 3)[exists]
    n_points = np.ceil((4 * radii / sizes.min()) ** 2).astype(int)
    tube = np.repeat(np.arange(len(radii)), n_points)
    number = np.arange(len(tube)) - np.repeat(np.cumsum(n_points) - n_points, n_points)
    across = np.cross(steps, np.eye(3)[np.abs(steps).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    beside = np.cross(steps / lengths[:, None], across)
    far = radii[tube] * np.sqrt((number + 0.5) / n_points[tube])
    angle = number * (np.pi * (3 - np.sqrt(5)))
    offsets = (far * np.cos(angle))[:, None] * across[tube] + (far * np.sin(angle))[:, None] * beside[tube]
    volumes = np.pi * radii**2 * lengths / n_points / np.prod(sizes)
    return _deposit(middles[tube] + offsets / sizes, volumes[tube], shape)


def _deposit(points: Points, amounts: NDArray[np.float64], shape: Sequence[int]) -> Volume:
    """Add amounts at points (voxels) to a grid, each to the eight voxels around it."""
    low = np.floor(points).astype(int)
    rest = points - low
    total = np.zeros(int(np.prod(shape)))
    for corner in np.ndindex(2, 2, 2):
        voxels = low + corner
        shares = amounts * np.prod(np.where(corner, rest, 1 - rest), axis=1)
        inside = ((voxels >= 0) & (voxels < shape)).all(axis=1)
        flat = np.ravel_multi_index(tuple(voxels[inside].T), tuple(shape))
        total += np.bincount(flat, shares[inside], len(total))
    return total.reshape(shape).astype(np.float32)


def _walk(
    starts: Points,
    thickness: Points,
    lengths: Points,
    steer: Steering,
    sizes: NDArray[np.float64],
    rng: np.random.Generator,
) -> Veins:
    """Walk from each start with a heading that wanders, as far as each length, down to a third of the radius."""
    step = float(sizes.min()) / 2
    n_steps = max(int(lengths.max(initial=0) / step), 2)
    done = np.arange(n_steps) * step / np.maximum(lengths, step)[:, None]
    radii = np.where(done < 1, thickness[:, None] * (1 - 0.67 * done), 0.0)
    paths = np.empty((len(starts), n_steps, 3))
    places, headings = starts, _unit(rng.normal(size=starts.shape))
    for number in range(n_steps):
        paths[:, number] = places
        headings = _unit(steer(places, headings + rng.normal(0, 0.15 * np.sqrt(step), starts.shape)))
        places = places + headings * step / sizes
    return Veins(paths, radii)


def _slope(level: Volume, places: Points, sizes: NDArray[np.float64]) -> tuple[Points, Points]:
    """A level and the direction ``(n, 3)`` in which it rises, at the voxels nearest to places."""
    voxels = np.clip(np.round(places).astype(int), 1, np.array(level.shape) - 2)
    slopes = [level[tuple((voxels + e).T)] - level[tuple((voxels - e).T)] for e in np.eye(3, dtype=int)]
    return level[tuple(voxels.T)].astype(float), _unit(np.stack(slopes, -1) / sizes)


def _unit(vectors: Points) -> Points:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
