"""Match the lesions of a predicted mask with those of the true mask."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .lesion_rates import LesionMatch

MAX_STEPS = {6: 1, 18: 2, 26: 3}
"""Axes along which neighbors may differ, by connectivity; in 2D 6 acts as 4, the others as 8 neighbors."""


def match_lesions(
    prediction: ArrayLike,
    truth: ArrayLike,
    voxel_volume: float = 1.0,
    *,
    connectivity: int = 26,
    min_overlap: int = 1,
    min_volume: int = 0,
) -> LesionMatch:
    """Find the lesions (connected components) of two masks and which of them overlap the other mask.

    The lesions of the latest pairs are kept, so that asking again for the same pair costs little.

    Args:
        prediction: mask of zeros and ones, shape ``(*spatial)``.
        truth: mask of the same shape.
        voxel_volume: mm^3 per voxel (in 2D, mm^2 per pixel, and all volumes are areas).
        connectivity: 6, 18 or 26 neighbors of a voxel.
        min_overlap: voxels of a lesion that the other mask, all its lesions together, must cover for a hit;
            a lesion with fewer voxels must be covered whole.
        min_volume: components of fewer voxels are erased from both masks before anything else, Dice and
            volumes included: they count neither as lesions nor as what a lesion overlaps.

    Raises:
        ValueError: for shapes that differ, values other than 0 and 1, or an option out of its range.
    """
    check_matching(connectivity, min_overlap, min_volume)
    if not 0 < voxel_volume < math.inf:
        raise ValueError(f"voxel_volume must be positive and finite, got {voxel_volume}")
    masks = [_as_mask(prediction, "prediction"), _as_mask(truth, "truth")]
    if masks[0].shape != masks[1].shape:
        raise ValueError(f"shapes differ: prediction {masks[0].shape}, truth {masks[1].shape}")
    packed = (np.packbits(mask).tobytes() for mask in masks)
    return _match(*packed, masks[0].shape, voxel_volume, connectivity, min_overlap, min_volume)


def check_matching(connectivity: int, min_overlap: int, min_volume: int) -> None:
    """Raise ValueError unless the options of :func:`match_lesions` are in their ranges."""
    if connectivity not in MAX_STEPS:
        raise ValueError(f"connectivity must be one of {list(MAX_STEPS)}, got {connectivity}")
    if min_overlap < 1:
        raise ValueError(f"min_overlap must be at least 1 voxel, got {min_overlap}")
    if min_volume < 0:
        raise ValueError(f"min_volume must not be negative, got {min_volume}")


# Keyed by the content of the masks: a cache keyed by tensors would have to know when one is written into.
@lru_cache(maxsize=16)
def _match(
    prediction: bytes,
    truth: bytes,
    shape: tuple[int, ...],
    voxel_volume: float,
    connectivity: int,
    min_overlap: int,
    min_volume: int,
) -> LesionMatch:
    masks = [_unpack(mask, shape) for mask in (prediction, truth)]
    box = _bounding_box(masks[0] | masks[1])
    labels = [_label(mask[box], connectivity, min_volume) for mask in masks]
    overlap = (labels[0] > 0) & (labels[1] > 0)
    (predicted_sizes, predicted_hits), (true_sizes, true_hits) = (
        _sizes_and_hits(label, overlap, min_overlap) for label in labels
    )
    n_voxels = int(predicted_sizes.sum() + true_sizes.sum())
    return LesionMatch(
        true_volumes=_frozen(true_sizes * voxel_volume),
        predicted_volumes=_frozen(predicted_sizes * voxel_volume),
        true_hits=_frozen(true_hits),
        predicted_hits=_frozen(predicted_hits),
        dice=2 * int(overlap.sum()) / n_voxels if n_voxels else math.nan,
    )


def _as_mask(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = np.asarray(values)
    mask = array.astype(bool)
    if array.dtype != bool and not np.array_equal(array, mask):
        raise ValueError(f"{name} must hold zeros and ones only, got {array[array != mask].flat[0]}")
    return mask


def _bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    boxes: list[tuple[slice, ...]] = ndimage.find_objects(mask.view(np.uint8), max_label=1)
    return boxes[0] or (slice(None),) * mask.ndim


def _unpack(packed: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=math.prod(shape))
    return bits.view(bool).reshape(shape)


def _label(mask: NDArray[np.bool_], connectivity: int, min_volume: int) -> NDArray[np.int32]:
    neighbors = ndimage.generate_binary_structure(mask.ndim, MAX_STEPS[connectivity])
    labels, _ = ndimage.label(mask, neighbors)
    small = np.bincount(labels.ravel()) < min_volume
    return np.where(small[labels], 0, labels)


def _sizes_and_hits(
    labels: NDArray[np.int32], overlap: NDArray[np.bool_], min_overlap: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    sizes = np.bincount(labels.ravel())[1:]
    covered = np.bincount(labels[overlap], minlength=len(sizes) + 1)[1:]
    kept = sizes > 0
    return sizes[kept], (covered >= np.minimum(sizes, min_overlap))[kept]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
