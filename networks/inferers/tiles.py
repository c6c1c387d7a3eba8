"""Inference of volumes in tiles whose borders are thrown away."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import ensure_tuple_rep
from torch import Tensor


class HaloTiledInferer(Inferer):
    """Run a network on overlapping tiles, and keep of each what lies further inside than ``halo``.

    A voxel near the edge of a tile lacks neighbors that it has in the whole volume, so its result is thrown away, but
    for edges that are those of the volume. Between the middles of two tiles that overlap by more than twice the halo,
    their results fade into each other. A network that looks no further than ``halo`` gives exactly what it gives of
    the whole volume; one with attention over, or averages of, all of its input does so up to the difference between
    tile and volume. The result may be on a finer grid.

    Args:
        tile_size: of the input, in voxels, for all or for each axis.
        halo: voxels of the input that are thrown away at inner edges.
        blend: voxels of the input over which two tiles fade into each other.
        max_voxels: volumes of at most so many voxels go through in one pass.

    Raises:
        ValueError: if the halo, and blend, leave nothing of a tile, or a number is negative.
    """

    def __init__(self, tile_size: Sequence[int] | int = 40, halo: int = 8, blend: int = 4, max_voxels: int = 0) -> None:
        super().__init__()
        if min(halo, blend, max_voxels) < 0 or min(ensure_tuple_rep(tile_size, 1)) <= 2 * halo + blend:
            numbers = f"{tile_size=}, {halo=}, {blend=}, {max_voxels=}"
            raise ValueError(f"tile_size must be more than twice the halo and the blend, none negative, got {numbers}")
        self.tile_size = tile_size
        self.halo = halo
        self.blend = blend
        self.max_voxels = max_voxels

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Map ``inputs`` ``(b, c, *spatial)`` to the network's ``(b, c', *(scale * spatial))``."""
        values = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        size = ensure_tuple_rep(self.tile_size, values.ndim - 2)
        is_one_tile = all(n <= s for n, s in zip(values.shape[2:], size, strict=True))
        if is_one_tile or values.shape[2:].numel() <= self.max_voxels:
            return network(values, *args, **kwargs)
        axes = [self._starts(n, s) for n, s in zip(values.shape[2:], size, strict=True)]
        total, weights = values.new_zeros(()), values.new_zeros(())
        for places in product(*axes):
            tile = values[_box(places, size)].contiguous()
            found: Tensor = network(tile, *args, **kwargs)
            scale = [out // n for out, n in zip(found.shape[2:], tile.shape[2:], strict=True)]
            if not total.ndim:
                fine = [n * s for n, s in zip(values.shape[2:], scale, strict=True)]
                dtype = torch.promote_types(found.dtype, torch.float32)
                total = found.new_zeros((*found.shape[:2], *fine), dtype=dtype)
                weights = found.new_zeros((1, 1, *fine), dtype=dtype)
            weight = self._weight(places, tile.shape[2:], values.shape[2:], scale).to(weights)
            target = _box([n * s for n, s in zip(places, scale, strict=True)], found.shape[2:])
            total[target] += found * weight
            weights[target] += weight
        return total / weights

    def _starts(self, n: int, size: int) -> list[int]:
        """Place as few tiles as cover ``n`` voxels, evenly."""
        step = size - 2 * self.halo - self.blend
        count = max(1, math.ceil((n - 2 * self.halo - self.blend) / step))
        last = max(0, n - size)
        return [round(i * last / (count - 1)) for i in range(count)] if count > 1 else [0]

    def _weight(self, places: Sequence[int], size: Sequence[int], shape: Sequence[int], scale: Sequence[int]) -> Tensor:
        weight = torch.ones(())
        for place, n, whole, factor in zip(places, size, shape, scale, strict=True):
            index = (torch.arange(n * factor) + 0.5) / factor  # voxels of the input from the tile's edge
            ramp = torch.ones(n * factor)
            for distance, is_inner in ((index, place > 0), (n - index, place + n < whole)):
                if is_inner:
                    ramp = ramp * ((distance - self.halo) / (self.blend or 1e-6)).clamp(0, 1)
            weight = weight[..., None] * ramp
        return weight


def _box(starts: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    places = (slice(start, start + n) for start, n in zip(starts, size, strict=True))
    return (slice(None), slice(None), *places)
