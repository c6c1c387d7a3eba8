"""Pineal gland: a bright spot of half a centimeter in the midline, behind the third ventricle."""

from __future__ import annotations

import numpy as np

from ..head import Head
from ..smooth_shapes import soft_ball, soft_step, template_places

PLACE, SPREAD, RADIUS = (0.0, -28.0, 2.0), (1.0, 2.5, 2.0), (2.0, 4.0)  # mm


def add_pineal_gland(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Put a gland into what lies there, with an irregular place, size and share."""
    center, radii = rng.normal(PLACE, SPREAD), rng.uniform(*RADIUS, 3) * (0.8 + 0.5 * strength)
    gland = soft_step(soft_ball(template_places(head), center, radii) - np.float32(0.6), 0.3)
    return head.turn(gland * np.float32(0.5 + 0.5 * strength), "choroid_plexus", ["csf", "white_matter", "gray_matter"])
