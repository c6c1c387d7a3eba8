"""Patches of the same place in an image and its finer copy."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.transforms import MapTransform, MultiSampleTrait, Randomizable, RandomizableTrait
from monai.utils import ensure_tuple_rep
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

logger = logging.getLogger(__name__)


class RandPairedPatchesd(Randomizable, MapTransform, RandomizableTrait, MultiSampleTrait):
    """Draw patches of a coarse image, and those of the fine one with the same outer edges.

    Their centers are voxels of the head. A coarse image that is smaller than a patch is filled up with its outermost
    voxels, and the fine one likewise, which a warning in the log tells.

    Args:
        coarse_key: of an image ``(c, *spatial)``.
        fine_key: of the image ``(c, *(scale * spatial))``.
        size: of the coarse patches, for all or for each axis.
        scale: of the fine image.
        n_patches: number of patches of an image, each a dictionary of its own.
        threshold: of the coarse image, above which a voxel belongs to the head.

    Raises:
        ValueError: if ``size`` or ``n_patches`` is below one; when called, if the sizes of the images do not fit.
    """

    def __init__(
        self,
        coarse_key: str = "image",
        fine_key: str = "label",
        size: Sequence[int] | int = 26,
        scale: Sequence[int] | int = 2,
        n_patches: int = 1,
        threshold: float = 0.05,
    ) -> None:
        super().__init__((coarse_key, fine_key))
        if np.min(size) < 1 or n_patches < 1:
            raise ValueError(f"size and n_patches must be at least 1, got {size=}, {n_patches=}")
        self.coarse_key, self.fine_key = coarse_key, fine_key
        self.size = size
        self.scale = scale
        self.n_patches = n_patches
        self.threshold = threshold
        self.starts: list[list[int]] = []

    def randomize(self, coarse: Tensor) -> None:
        """Draw the first voxels of the patches."""
        inside = np.flatnonzero(coarse[0].cpu().numpy() > self.threshold)
        shape = coarse.shape[1:]
        size = ensure_tuple_rep(self.size, len(shape))
        self.starts = []
        for _ in range(self.n_patches):
            place = inside[self.R.randint(len(inside))] if len(inside) else self.R.randint(np.prod(shape))
            center = np.unravel_index(place, shape)
            limits = zip(center, size, shape, strict=True)
            self.starts.append([int(np.clip(c - s // 2, 0, max(0, n - s))) for c, s, n in limits])

    def __call__(self, data: Mapping[Hashable, Any]) -> list[dict[Hashable, Any]]:
        """Return ``n_patches`` dictionaries with patches at both keys."""
        coarse, fine = (data[key].as_subclass(Tensor) for key in (self.coarse_key, self.fine_key))
        dimensions = coarse.ndim - 1
        size, scale = (ensure_tuple_rep(value, dimensions) for value in (self.size, self.scale))
        if tuple(fine.shape[1:]) != tuple(n * s for n, s in zip(coarse.shape[1:], scale, strict=True)):
            raise ValueError(f"sizes {tuple(coarse.shape[1:])} and {tuple(fine.shape[1:])} are not {scale} apart")
        if any(n < s for n, s in zip(coarse.shape[1:], size, strict=True)):
            place = getattr(data[self.coarse_key], "meta", {}).get("filename_or_obj", self.coarse_key)
            message = "%s: of %s voxels, it is filled up to patches of %s; train with a smaller `patch`"
            logger.warning(message, place, *(" x ".join(map(str, each)) for each in (coarse.shape[1:], size)))
        self.randomize(coarse)
        rest = {key: value for key, value in data.items() if key not in self.keys}
        fine_size = [n * s for n, s in zip(size, scale, strict=True)]
        return [
            {
                **rest,
                self.coarse_key: _patch(coarse, start, size),
                self.fine_key: _patch(fine, [n * s for n, s in zip(start, scale, strict=True)], fine_size),
            }
            for start in self.starts
        ]


def _patch(image: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    patch = image[(slice(None), *(slice(n, n + s) for n, s in zip(start, size, strict=True)))]
    missing = [s - n for s, n in zip(size, patch.shape[1:], strict=True)]
    if not any(missing):
        return patch.clone()
    padding = [pad for n in reversed(missing) for pad in (0, n)]
    return F.pad(patch[None], padding, mode="replicate")[0]
