"""Septum pellucidum and fornix: a bright sheet between the lateral ventricles, and no lesion."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..head import Head
from ..smooth_shapes import template_places

REACH = 3.0  # mm from both ventricles, at most


def brighten_septum(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Turn what lies between the lateral ventricles in the midline partly into bright gray matter."""
    x, y, z = template_places(head)
    fluid = head.regions["ventricles"] > 0.5
    between = ndimage.binary_closing(fluid, iterations=max(round(REACH / head.spacing), 1)) & ~fluid
    sheet = between & (abs(x) < 7) & (y > -32) & (y < 34) & (z > 0) & (z < 32)
    amount = sheet * np.float32(strength * rng.uniform(0.4, 1.0))
    return head.turn(amount, "bright_gray_matter", ["white_matter", "gray_matter"])
