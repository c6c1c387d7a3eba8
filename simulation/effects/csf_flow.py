"""Flow of fluid: what flowed in after the inversion pulse is bright on FLAIR, where fluid should be dark."""

from __future__ import annotations

import numpy as np

from ..head import Head
from ..smooth_shapes import smooth_field, soft_ball, template_places

PLACES = {  # centers and radii (MNI mm)
    "third ventricle": ((0, -10, 0), (6, 12, 9)),
    "foramina of Monro": ((0, 2, 12), (8, 5, 5)),
    "aqueduct": ((0, -34, -12), (4, 5, 8)),
    "fourth ventricle": ((0, -44, -32), (10, 8, 12)),
    "suprasellar cistern": ((0, 0, -20), (14, 10, 7)),
    "prepontine cistern": ((0, -12, -34), (14, 8, 14)),
    "ambient cisterns": ((0, -38, -8), (24, 9, 9)),
    "lateral ventricles": ((0, 0, 18), (16, 18, 8)),
}
LARGEST = 0.25  # share of fluid that was not inverted: about 1.5 times white matter


def add_csf_flow(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Leave out the inversion for a share of the fluid, up to :data:`LARGEST`, in some of the places of flow."""
    places, amount = template_places(head), np.zeros(head.brain.shape, np.float32)
    for center, radii in PLACES.values():
        level = rng.uniform(0, 1) * (rng.random() < 0.6)
        place, size = rng.normal(center, 2.0), np.multiply(radii, rng.uniform(0.5, 1.2))
        amount = np.maximum(amount, np.float32(level) * soft_ball(places, place, size))
    uneven = np.clip(0.7 + 0.6 * smooth_field(amount.shape, head.spacing, 5.0, rng), 0, 1.5)
    everywhere = 0.04 * rng.uniform(0, 1)
    return head.turn(np.clip(strength * LARGEST * (amount * uneven + everywhere), 0, LARGEST), "fresh_fluid", ["csf"])
