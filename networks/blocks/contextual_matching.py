"""Contextual matching: features of a guide, brought to where they resemble those of the target."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

DILATIONS = (1, 2, 3)
PATCH = 3


class ContextualMatching(nn.Module):
    """Rearrange the features of a guide, on several grids, by their likeness to those of the target.

    The matching of McMRSR: Li et al., CVPR 2022 (arXiv:2203.13963), after MASA-SR (Lu et al., CVPR 2021,
    arXiv:2106.02299). Likeness is the cosine between patches of 3x3 features, on the coarse grid:

    1. For each block of the target, the position of the guide is found that is most like its center, summed over
       patches of dilation 1, 2 and 3.
    2. A window around that position, some 1.5 times the block, is cut out of the guide.
    3. Within it, each pixel of the block takes the features of the most similar patch, on all grids alike. Overlaps
       are averaged, and the result is multiplied by the likeness.

    It has no parameters, and its choice of positions no gradient; the likeness has.

    Args:
        block_size: even number of coarse pixels along each axis of a block.

    Raises:
        ValueError: if ``block_size`` is odd or below four.
    """

    def __init__(self, block_size: int = 8) -> None:
        super().__init__()
        if block_size % 2 or block_size < 4:
            raise ValueError(f"block_size must be even and at least 4, got {block_size}")
        self.block_size = block_size
        self.window_size = 2 * int(1.5 * (block_size // 2)) + PATCH

    def forward(self, x: Tensor, context: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
        """Bring features of the guide to the target.

        Args:
            x: of the target on the coarse grid, ``(b, c, h, w)``; the block size divides h and w.
            context: of the guide on the coarse grid, of the same shape.
            features: of the guide on grids that are 1, 2, ... times as fine, ``(b, c, s h, s w)`` each.

        Returns:
            One tensor for each of ``features``, of its shape.

        Raises:
            ValueError: if the block size does not divide h and w, or the guide is smaller than a window.
        """
        self._check_sizes(x, context)
        dtype = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):  # half precision would choose other positions
            blocks = self._blocks(x.to(dtype))
            window = self._windows(blocks, context.to(dtype))
            windows = _cut(context.to(dtype), *window, self.window_size, 1)
            likeness, index = _most_similar(blocks.flatten(0, 1), windows)
            found = []
            for feature in features:
                scale = feature.shape[2] // x.shape[2]
                moved = _transfer(feature.to(dtype), window, index, likeness, self.window_size, scale)
                rows = x.shape[2] // self.block_size
                found.append(self._assemble(moved, len(x), rows).to(feature.dtype))
        return found

    @staticmethod
    def _assemble(blocks: Tensor, n_samples: int, rows: int) -> Tensor:
        return rearrange(blocks, "(b r s) c h w -> b c (r h) (s w)", b=n_samples, r=rows)

    def _check_sizes(self, x: Tensor, context: Tensor) -> None:
        if any(size % self.block_size for size in x.shape[2:]):
            raise ValueError(f"block_size must divide the size of x, got {self.block_size} and {tuple(x.shape[2:])}")
        if min(context.shape[2:]) < self.window_size:
            raise ValueError(f"context must have {self.window_size} pixels an axis, got {tuple(context.shape[2:])}")

    def _blocks(self, x: Tensor) -> Tensor:
        """Return the blocks with a margin of one pixel, ``(b, n, c, size + 2, size + 2)``."""
        size = self.block_size + 2
        patches = F.unfold(F.pad(x, (1, 1, 1, 1), "replicate"), size, stride=self.block_size)
        return rearrange(patches, "b (c h w) n -> b n c h w", h=size, w=size)

    def _windows(self, blocks: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return batch index and first row and column of the guide's window for each block, ``(b n,)`` each."""
        center, total = blocks.shape[-1] // 2, torch.zeros((), device=context.device)
        for dilation in DILATIONS:
            around = slice(center - dilation, center + dilation + 1, dilation)
            queries = F.normalize(blocks[..., around, around].flatten(2), dim=2)
            keys = F.normalize(F.unfold(context, PATCH, dilation, dilation), dim=1)
            total = total + queries @ keys
        height, width = context.shape[2:]
        best = total.argmax(-1).flatten()
        starts = (
            (position - self.window_size // 2).clamp(0, size - self.window_size)
            for position, size in ((best // width, height), (best % width, width))
        )
        batch = torch.arange(len(blocks), device=best.device).repeat_interleave(blocks.shape[1])
        return batch, *starts  # type: ignore[return-value]


def _cut(x: Tensor, batch: Tensor, y: Tensor, x_start: Tensor, size: int, scale: int) -> Tensor:
    """Cut windows that begin at coarse pixels: ``(n, c, scale size, scale size)``."""
    steps = torch.arange(scale * size, device=x.device)
    rows, columns = (scale * y)[:, None] + steps, (scale * x_start)[:, None] + steps
    windows = x[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return rearrange(windows, "n h w c -> n c h w")


def _most_similar(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return likeness and index of the patch of ``keys`` that is most like each one of ``queries``: ``(n, h, w)``."""
    wanted, offered = (F.normalize(F.unfold(features, PATCH), dim=1) for features in (queries, keys))
    likeness, index = (wanted.transpose(1, 2) @ offered).max(-1)
    size = queries.shape[-1] - PATCH + 1
    return likeness.unflatten(1, (size, size)), index.unflatten(1, (size, size))


def _transfer(
    feature: Tensor, window: tuple[Tensor, Tensor, Tensor], index: Tensor, likeness: Tensor, size: int, scale: int
) -> Tensor:
    """Put the chosen patches of the windows in place, on a grid ``scale`` times as fine: ``(n, c, h, w)``."""
    patches = F.unfold(_cut(feature, *window, size, scale), scale * PATCH, stride=scale)
    chosen = patches.gather(2, index.flatten(1)[:, None].expand(-1, patches.shape[1], -1))
    shape = (scale * index.shape[1], scale * index.shape[2])
    total, count = (
        F.fold(parts, shape, scale * PATCH, padding=scale, stride=scale) for parts in (chosen, torch.ones_like(chosen))
    )
    return total / count * F.interpolate(likeness[:, None], shape, mode="bilinear", align_corners=True)
