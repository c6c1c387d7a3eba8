"""Choroid plexus: vascular tissue in the ventricles, gray on T1w and as bright as a lesion on FLAIR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..head import Head
from ..smooth_shapes import smooth_field, soft_ball, soft_step, template_places

Volume = NDArray[np.float32]

PARTS = {  # center and radii (MNI mm, right side; the fourth ventricle's lies in the middle)
    "trigone": ((24, -42, 6), (6, 7, 7)),
    "body": ((13, -20, 20), (5, 14, 4)),
    "temporal horn": ((31, -22, -15), (5, 12, 6)),
    "fourth ventricle": ((0, -46, -33), (7, 4, 5)),
}
SEARCH = 14.0  # mm: a part moves to the ventricle's middle within this distance of its place


def add_choroid_plexus(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Fill parts of the ventricles with plexus: where the anatomy has it, else trigone, body, horns and fourth.

    The stronger, the larger and the purer it is; what is left of the fluid between its folds makes it darker on FLAIR.
    """
    ventricles = head.regions["ventricles"] * head.tissues["csf"]
    noise = smooth_field(ventricles.shape, head.spacing, 4.0, rng)
    given = head.regions.get("choroid_plexus")
    depth = given - 0.5 if given is not None and (given > 0.5).any() else _draw(head, ventricles, strength, rng)
    purity = np.float32(rng.uniform(0.55, 0.8) + 0.2 * strength)
    return head.turn(soft_step(depth + 0.12 * noise, 0.3) * purity * (ventricles > 0.05), "choroid_plexus", ["csf"])


def _draw(head: Head, ventricles: Volume, strength: float, rng: np.random.Generator) -> Volume:
    places, depth = template_places(head), np.full(ventricles.shape, -1, np.float32)
    for part, (center, radii) in PARTS.items():
        for side in (1,) if center[0] == 0 else (-1, 1):
            found = _middle(ventricles, places, (center[0] * side, *center[1:]))
            size = (0.7 + 0.4 * strength) * rng.uniform(0.8, 1.25)
            if found is not None and (part in ("trigone", "temporal horn") or rng.random() < 0.7):
                depth = np.maximum(depth, soft_ball(places, found, np.multiply(radii, size)) - 0.5)
    return depth


def _middle(
    ventricles: Volume, places: tuple[Volume, Volume, Volume], center: tuple[float, ...]
) -> tuple[float, ...] | None:
    """Center of mass of the ventricle around a place, None where there is next to none."""
    near = ventricles * soft_ball(places, center, [SEARCH / 2] * 3)
    total = float(near.sum(dtype=np.float64))
    if total < 20:
        return None
    return tuple(float((near * p).sum(dtype=np.float64) / total) for p in places)
