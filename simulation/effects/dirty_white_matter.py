"""Dirty white matter: slightly bright on FLAIR, around lesions and far from them, which raters leave out or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..head import Head
from ..smooth_shapes import smooth_field, soft_ball, template_places

PERITRIGONAL = (28, -45, 22), (13, 18, 14)  # MNI mm, right side: the terminal zones of myelination


def add_halos(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Surround lesions by white matter that has changed less, and less with the distance (1.5 to 4 mm), unlabelled."""
    if not head.lesions.any():
        return head
    distance = (ndimage.distance_transform_edt(~head.lesions) * head.spacing).astype(np.float32)
    uneven = np.clip(1 + 0.4 * smooth_field(distance.shape, head.spacing, 10.0, rng), 0, 2)
    amount = strength * rng.uniform(0.2, 0.5) * uneven * np.exp(-((distance / rng.uniform(1.5, 4.0)) ** 2))
    return head.turn(np.clip(amount, 0, 0.6), "lesion", ["white_matter"])


def add_diffuse_change(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Change white matter a little in smooth clouds anywhere, and beside the ventricles' trigones."""
    clouds = np.clip(0.08 * smooth_field(head.brain.shape, head.spacing, 9.0, rng), 0, 0.2)
    places, trigones = template_places(head), np.zeros(head.brain.shape, np.float32)
    for side in (-1, 1):
        ball = soft_ball(places, (PERITRIGONAL[0][0] * side, *PERITRIGONAL[0][1:]), PERITRIGONAL[1])
        trigones = np.maximum(trigones, ball * np.float32(rng.uniform(0, 0.3)))
    return head.turn(strength * (clouds + trigones), "lesion", ["white_matter"])


def move_raters_border(head: Head, strength: float, rng: np.random.Generator) -> Head:
    """Draw how generous a rater is, up to 0.8 mm inside or 1.5 mm outside of the border, and label lesions so.

    A generous rater marks what has changed by at least a tenth there; a strict one keeps small lesions whole.
    """
    move = strength * rng.uniform(-0.8, 1.5)
    noise = 0.3 * strength * smooth_field(head.brain.shape, head.spacing, 4.0, rng)
    if move < 0:
        return replace(head, lesions=_core(head, -move, noise))
    outside = ndimage.distance_transform_edt(~head.lesions) * head.spacing - head.spacing / 2
    changed = head.tissues["lesion"] > 0.1
    return replace(head, lesions=head.lesions | (changed & (outside + noise < move)))


def _core(head: Head, depth: float, noise: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What lies deeper than ``depth`` (mm) in lesions, and the whole of lesions that would lose half."""
    inside = ndimage.distance_transform_edt(head.lesions) * head.spacing - head.spacing / 2
    core = head.lesions & (inside + noise > depth)
    parts, _ = ndimage.label(head.lesions, np.ones((3, 3, 3)))
    kept = np.bincount(parts[core], minlength=parts.max() + 1) / np.maximum(np.bincount(parts.ravel()), 1)
    return core | (head.lesions & (kept < 0.5)[parts])
