"""A loose brain mask: meninges, fat and marrow of the skull base, and the eyes' surroundings are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..head import Head
from ..smooth_shapes import smooth_field, soft_step, template_places

REACH = 7.0  # mm outside of the brain, at most


def loosen_mask(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Let the mask reach out in smooth patches, mostly at the base and in front, over tissue of mixed brightness.

    Heads that have a skull stay as they are: their images are not masked.
    """
    if "bone" in head.tissues:
        return head
    _, y, z = template_places(head)
    base = np.clip((-10 - z) / 30, 0, 1) + 0.5 * np.clip((y - 30) / 30, 0, 1) * (z < 20)
    patches = smooth_field(head.brain.shape, head.spacing, 15.0, rng)
    distance = (ndimage.distance_transform_edt(~head.brain) * head.spacing).astype(np.float32)
    loose = distance <= np.clip(strength * (2.5 * patches + 4 * base - 1.0), 0, REACH)
    added = loose & ~head.brain
    texture = smooth_field(head.brain.shape, head.spacing, 3.0, rng)
    shares = {
        "meninges": soft_step(texture + np.float32(rng.uniform(-1, 1)), 1.0),
        "fat": soft_step(patches - texture - np.float32(rng.uniform(1.0, 2.5)), 1.0),
    }
    shares["fat"] = np.minimum(shares["fat"], 1 - shares["meninges"])
    nothing = np.zeros(head.brain.shape, np.float32)
    tissues = {name: head.tissues.get(name, nothing) + share * added for name, share in shares.items()}
    return replace(head, tissues=head.tissues | tissues, brain=loose | head.brain)
