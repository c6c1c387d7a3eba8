"""How patches of features are matched with those of a coarse copy: options, and where the patches lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

PADDINGS = {"zeros": "constant", "replicate": "replicate"}
PATHS = ("auto", "literal", "streamed")
Box = tuple[slice, ...]


@dataclass(frozen=True)
class CrossScaleMatching:
    """Options of :func:`cross_scale_attention`.

    Attributes:
        scale: by how much the coarse copy is coarser, and the result finer.
        patch_size: edge p of the patches of queries and keys.
        stride: distance q of neighboring patches, at most ``patch_size - patch_size // 2``, so that the result has no
            holes.
        overlap: what a sum of overlapping patches is divided by: ``"count"``, the number of patches at each voxel;
            ``"none"``; or a constant.
        padding: ``"zeros"``, or ``"replicate"``, with which constant values stay constant.
        logit_scale: factor of the logits.
        normalize_keys: divide each patch of keys by its norm (1e-4 at least).
        window: let a query attend only to keys this many strides away from its place, along each axis.
        top_k: let a query attend only to this many keys, those of the largest logits.
        path: ``"literal"`` holds all affinities, ``"streamed"`` some at a time, with the same result; ``"auto"``
            chooses by size.

    Raises:
        ValueError: for numbers below their minimum, or an unknown word.
    """

    scale: int = 2
    patch_size: int = 3
    stride: int = 2
    overlap: Literal["count", "none"] | float = "count"
    padding: Literal["zeros", "replicate"] = "zeros"
    logit_scale: float = 1.0
    normalize_keys: bool = False
    window: int | None = None
    top_k: int | None = None
    path: Literal["auto", "literal", "streamed"] = "auto"

    def __post_init__(self) -> None:
        if self.scale < 2:
            raise ValueError(f"scale must not be below 2, got {self.scale}")
        if not 1 <= self.stride <= self.patch_size - self.patch_size // 2:
            raise ValueError(f"patches of size {self.patch_size} leave holes at stride {self.stride}")
        if isinstance(self.overlap, str) and self.overlap not in ("count", "none"):
            raise ValueError(f'overlap must be "count", "none" or a number, got {self.overlap!r}')
        if self.padding not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {self.padding!r}")
        if self.path not in PATHS:
            raise ValueError(f"path must be one of {', '.join(PATHS)}, got {self.path!r}")
        if min(self.window or 1, self.top_k or 1) < 1 or 0 in (self.window, self.top_k):
            raise ValueError(f"window and top_k must be positive, got {self.window=}, {self.top_k=}")

    @property
    def numbers(self) -> tuple[int, int, int, float, str, float, bool]:
        """The arguments of :func:`.scripted_cross_scale` from ``scale`` on."""
        overlap = {"count": 0.0, "none": 1.0}[self.overlap] if isinstance(self.overlap, str) else float(self.overlap)
        padding = PADDINGS[self.padding]
        return self.scale, self.patch_size, self.stride, overlap, padding, float(self.logit_scale), self.normalize_keys

    def grid(self, size: Sequence[int]) -> PatchGrid:
        """Return where patches lie in features of this size."""
        queries = tuple(-(-n // self.stride) for n in size)
        keys = tuple(-(-max(1, n // self.scale) // self.stride) for n in size)
        return PatchGrid(self, tuple(size), queries, keys)


class Segment(NamedTuple):
    """A part of the cells of :class:`PatchGrid`, along an axis.

    Attributes:
        voxels: of the cell.
        n_patches: that cover it.
        is_padding: of the first cell it lies outside of the features.
    """

    voxels: slice
    n_patches: int
    is_padding: bool


@dataclass(frozen=True)
class PatchGrid:
    """Where patches lie in features of one size.

    Patches of values, and of the result, are as far apart as a *cell* is long: ``scale * stride`` voxels. A patch
    covers a cell and the beginnings of the next ones: blocks, of which each lies in another cell for each patch.

    Attributes:
        matching: the options.
        size: of the features.
        queries: number of patches of queries along each axis.
        keys: number of patches of keys, and of values.
    """

    matching: CrossScaleMatching
    size: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]

    @property
    def cell(self) -> int:
        """Distance of patches of values in voxels."""
        return self.matching.scale * self.matching.stride

    @property
    def n_affinities(self) -> int:
        """Number of queries times number of keys."""
        return math.prod(self.queries) * math.prod(self.keys)

    @property
    def blocks(self) -> list[int]:
        """Lengths of the blocks that make a patch of values: whole cells, and the last."""
        length = self.matching.scale * self.matching.patch_size
        return [min(self.cell, length - start) for start in range(0, length, self.cell)]

    @property
    def segments(self) -> list[Segment]:
        """The parts of a cell along an axis that are covered by different numbers of patches."""
        n, last = len(self.blocks), self.blocks[-1]
        low = self.matching.scale * (self.matching.patch_size // 2)
        rest = [Segment(slice(last, self.cell), n - 1, self.cell <= low)] if n > 1 and last < self.cell else []
        return [Segment(slice(0, last), n, last <= low), *rest]

    def shifts(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Yield, for each block of a patch, by how many cells it is shifted and its size along each axis."""
        for shift in product(range(len(self.blocks)), repeat=len(self.size)):
            yield shift, tuple(self.blocks[step] for step in shift)

    def pad_queries(self, features: Tensor) -> Tensor:
        """Pad ``(b, c, *size)`` so that it holds all patches of queries, or of keys."""
        p, q = self.matching.patch_size, self.matching.stride
        lengths = [(-(-n // q) - 1) * q + p for n in features.shape[2:]]
        return _pad(features, p // 2, lengths, self.matching.padding)

    def pad_values(self, values: Tensor) -> Tensor:
        """Pad ``(b, c, *size)`` to whole cells that hold all patches of values."""
        low = self.matching.scale * (self.matching.patch_size // 2)
        lengths = [(n + len(self.blocks) - 1) * self.cell for n in self.keys]
        return _pad(values, low, lengths, self.matching.padding)

    def overlaps(self, axis: int) -> Tensor:
        """Count the patches of the result at each voxel along an axis, before the crop; one where there is none."""
        n, length = self.queries[axis], self.matching.scale * self.matching.patch_size
        place = torch.arange((n + len(self.blocks) - 1) * self.cell)
        first = (place - length).div(self.cell, rounding_mode="floor") + 1
        last = place.div(self.cell, rounding_mode="floor")
        return (last.clamp(max=n - 1) - first.clamp(min=0) + 1).clamp(min=1)

    def crop(self, result: Tensor) -> Tensor:
        """Take ``(b, c, *(scale * size))`` out of the sum of patches."""
        low = self.matching.scale * (self.matching.patch_size // 2)
        inside = (slice(None), slice(None), *(slice(low, low + self.matching.scale * n) for n in self.size))
        return result[inside]

    def within_window(self, queries: Box, keys: Box) -> Tensor | None:
        """Tell which keys the queries of a box may attend to, ``(queries, keys)``; None for all."""
        if self.matching.window is None:
            return None
        r, allowed = self.matching.scale, torch.ones(1, 1, dtype=torch.bool)
        for some, others, n_keys in zip(queries, keys, self.keys, strict=True):
            place = torch.arange(some.start, some.stop).clamp(max=r * (n_keys - 1))[:, None]
            near = (r * torch.arange(others.start, others.stop) - place).abs() <= r * self.matching.window
            allowed = torch.kron(allowed, near)
        return allowed

    def reachable_keys(self, queries: Box) -> Box:
        """Return the box of keys within the window of any query of a box."""
        if self.matching.window is None:
            return tuple(slice(0, n) for n in self.keys)
        r, window = self.matching.scale, self.matching.window
        ends = zip(queries, self.keys, strict=True)
        return tuple(
            slice(max(0, -(-min(some.start, r * (n - 1)) // r) - window), min(n, (some.stop - 1) // r + window + 1))
            for some, n in ends
        )

    def boxes(self, n_queries: int) -> Iterator[Box]:
        """Split the queries into boxes of at most ``n_queries``, and no wider than two windows."""
        window = self.matching.window
        edges = [n if window is None else min(n, 2 * self.matching.scale * window) for n in self.queries]
        while math.prod(edges) > max(1, n_queries):
            longest = edges.index(max(edges))
            edges[longest] = -(-edges[longest] // 2)
        starts = (range(0, n, edge) for n, edge in zip(self.queries, edges, strict=True))
        for corner in product(*starts):
            yield tuple(
                slice(start, min(start + edge, n)) for start, edge, n in zip(corner, edges, self.queries, strict=True)
            )


def patches(padded: Tensor, size: int, stride: int, box: Box | None = None) -> Tensor:
    """Return the patches of ``(b, c, *spatial)``, or those of a box of them, as rows ``(b, n, c * size^d)``."""
    n_axes = padded.ndim - 2
    for axis in range(2, 2 + n_axes):
        padded = padded.unfold(axis, size, stride)
    if box is not None:
        place = (slice(None), slice(None), *box)
        padded = padded[place]
    return padded.movedim(1, 1 + n_axes).flatten(1 + n_axes).flatten(1, n_axes)


def _pad(features: Tensor, low: int, lengths: Sequence[int], padding: str) -> Tensor:
    """Start ``low`` voxels before the features and take ``lengths``, which may end before the features do."""
    sizes = features.shape[2:]
    kept = [min(n, length - low) for n, length in zip(sizes, lengths, strict=True)]
    inside = (slice(None), slice(None), *map(slice, kept))
    pads = [pad for n, length in zip(reversed(kept), reversed(lengths), strict=True) for pad in (low, length - low - n)]
    return F.pad(features[inside], pads, PADDINGS[padding])
