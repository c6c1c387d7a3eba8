"""Residual blocks with channel and spatial attention side by side: after FASR."""

from __future__ import annotations

import torch
from monai.networks.blocks import SubpixelUpsample
from torch import Tensor, nn

from ..blocks import ChannelAttention
from .interpolation import Interpolation, Method


class FASRNet(nn.Module):
    """Magnify volumes by residual blocks that attend to channels and to voxels at the same time.

    After Wang et al. 2020 (FASR), trained with the L1 loss, whose layers are not public: what is known, from CFTN's
    authors, is that channel and spatial attention are parallel. Residual blocks on the coarse grid, the fusion of what
    all of them found, sub-pixel convolution, and the sum with the interpolated input are choices.

    Args:
        scale: 2 or 3.
        channels: width of the features.
        n_blocks: number of residual blocks.
        reduction: of the channel attention.
        interpolation: of the input, see :class:`Interpolation`.

    Raises:
        ValueError: if ``scale`` is not 2 or 3, or ``n_blocks`` is below one.
    """

    def __init__(
        self,
        scale: int = 2,
        channels: int = 32,
        n_blocks: int = 6,
        reduction: int = 8,
        interpolation: Method = "spline",
    ) -> None:
        super().__init__()
        if scale not in (2, 3) or n_blocks < 1:
            raise ValueError(f"scale must be 2 or 3, and n_blocks at least 1, got {scale=}, {n_blocks=}")
        self.interpolation = Interpolation(scale, interpolation)
        self.head = nn.Conv3d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(_ParallelAttentionBlock(channels, reduction) for _ in range(n_blocks))
        self.fuse = nn.Conv3d(n_blocks * channels, channels, 1)
        self.up = SubpixelUpsample(3, channels, channels, scale, apply_pad_pool=False)
        self.tail = nn.Conv3d(channels, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, x, y, z)`` of any size to ``(b, 1, *(scale * size))``."""
        running, features = self.head(x), []
        for block in self.blocks:
            running = block(running)
            features.append(running)
        fine = self.up(self.fuse(torch.cat(features, 1)))
        return self.interpolation(x) + self.tail(fine).to(x.dtype)


class _ParallelAttentionBlock(nn.Module):
    """Add two convolutions of the input to it, weighted by the sum of both kinds of attention."""

    def __init__(self, in_channels: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(in_channels, in_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv3d(in_channels, in_channels, 3, padding=1),
        )
        self.channel = ChannelAttention(in_channels, reduction=reduction)
        self.spatial = nn.Sequential(nn.Conv3d(in_channels, 1, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        found = self.body(x)
        return x + self.channel(found) + found * self.spatial(found)
