"""Bright cortex: insula, cingulum and medial temporal lobe reach the brightness of faint lesions on FLAIR."""

from __future__ import annotations

import numpy as np

from ..head import Head
from ..smooth_shapes import smooth_field, soft_ball, template_places

PLACES = {  # centers (MNI mm, right side) and radii
    "insula": [((38, 6, 0), (8, 16, 11)), ((38, -12, 4), (8, 10, 9))],
    "temporal pole": [((36, 14, -30), (13, 10, 12))],
    "cingulum": [((0, 34, 14), (9, 11, 12)), ((0, 8, 36), (9, 16, 10)), ((0, -26, 38), (9, 16, 10))],
    "medial temporal": [((24, -14, -20), (10, 16, 10)), ((24, 2, -22), (10, 9, 10))],
    "splenium": [((0, -48, 18), (12, 10, 10))],
}

IN_PLACES, MOST_EVERYWHERE = 1.8, 0.3


def brighten_cortex(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Turn a share of gray matter into bright gray matter: much in the named places, some elsewhere, a little anywhere.

    Each place of each side has its own share, and the whole cortex one that the subject has. T1w hardly changes.
    """
    places, shape = template_places(head), head.brain.shape
    amount = np.zeros(shape, np.float32)
    for balls in PLACES.values():
        for side in (-1, 1):
            level = np.float32(rng.uniform(0.1, 1.0))
            for center, radii in balls:
                amount = np.maximum(amount, level * soft_ball(places, (center[0] * side, *center[1:]), radii))
    uneven = smooth_field(shape, head.spacing, 8.0, rng)
    elsewhere = np.clip(0.3 * smooth_field(shape, head.spacing, 20.0, rng), 0, 0.6)
    everywhere = np.float32(rng.uniform(0, MOST_EVERYWHERE))
    amount = np.clip(strength * (IN_PLACES * amount * (1 + 0.3 * uneven) + elsewhere + everywhere), 0, 0.95)
    return head.turn(amount.astype(np.float32), "bright_gray_matter", ["gray_matter"])
