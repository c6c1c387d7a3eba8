"""Rims and caps: the white matter along the ventricles is bright on FLAIR in everybody, thick at the horns."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..head import Head
from ..smooth_shapes import smooth_field, soft_ball, template_places

HORNS = {"frontal": ((20, 30, 8), (9, 9, 10)), "occipital": ((27, -60, 8), (9, 13, 9))}  # MNI mm, right side


def add_ventricle_rims(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Turn white matter along the ventricles into something like lesion, unlabelled.

    A lining falls off within 1 to 2.5 mm, caps at the horns within 2 to 5 mm; both are uneven along the wall.
    """
    wall = head.regions["ventricles"] > 0.5
    if not wall.any():
        return head
    distance = (ndimage.distance_transform_edt(~wall) * head.spacing).astype(np.float32)
    uneven = np.clip(1 + 0.5 * smooth_field(wall.shape, head.spacing, 10.0, rng), 0, 2)
    lining = rng.uniform(0.15, 0.6) * np.exp(-((distance / rng.uniform(1.0, 2.5)) ** 2))
    places, caps = template_places(head), np.zeros(wall.shape, np.float32)
    for center, radii in HORNS.values():
        level, width = rng.uniform(0.1, 0.7), rng.uniform(2.0, 5.0)
        for side in (-1, 1):
            ball = soft_ball(places, (center[0] * side, *center[1:]), radii)
            caps = np.maximum(caps, ball * (level * rng.uniform(0.7, 1.3)) * np.exp(-((distance / width) ** 2)))
    amount = np.clip(strength * uneven * np.maximum(lining, caps), 0, 0.7)
    return head.turn(amount.astype(np.float32), "lesion", ["white_matter"])
