"""Vessels: slow blood in sulci and cisterns, bright on FLAIR; fluid around vessels of white matter, bright on T2w."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..head import Head
from .tubes import tubes

FLUID = 0.7  # share of fluid in a voxel in which a vessel of a sulcus may start


def add_bright_vessels(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Draw up to 150 tubes of 0.4 to 1.1 mm radius and 4 to 20 mm length in the fluid outside of the ventricles."""
    outer = (head.tissues["csf"] > FLUID) & (head.regions["ventricles"] < 0.1) & head.brain
    shares = _draw(outer, int(strength * rng.uniform(30, 150)), (4.0, 20.0), (0.4, 1.1), None, head, rng)
    return head.turn(shares * np.float32(rng.uniform(0.5, 1.0)), "slow_blood", ["csf", "gray_matter"])


def add_perivascular_spaces(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Draw up to 120 tubes of fluid of 0.3 to 0.9 mm radius in white matter, towards the ventricles."""
    middle = np.array([head.brain.shape]) / 2.0
    white = (head.tissues["white_matter"] > 0.9) & ~head.lesions
    shares = _draw(white, int(strength * rng.uniform(20, 120)), (3.0, 15.0), (0.3, 0.9), middle, head, rng)
    return head.turn(shares, "csf", ["white_matter"])


def _draw(
    inside: NDArray[np.bool_],
    n_tubes: int,
    lengths: tuple[float, float],
    radii: tuple[float, float],
    target: NDArray[np.float64] | None,
    head: Head,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw tubes from places inside of a mask, towards a target (voxels) or anywhere."""
    found = np.flatnonzero(inside)
    if not found.size:
        return np.zeros(inside.shape, np.float32)
    starts = np.stack(np.unravel_index(rng.choice(found, n_tubes), inside.shape), -1).astype(float)
    directions = rng.normal(size=(n_tubes, 3)) if target is None else target - starts
    sizes = rng.uniform(*lengths, n_tubes), rng.uniform(*radii, n_tubes)
    return tubes(starts, directions, *sizes, inside.shape, head.spacing, rng)
