"""3D U-Net with a slot for an attention block at its bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import GroupNorm3d, build_attention


class UNet3D(nn.Module):
    """The backbone of RSANet (Zhang et al. 2019) and FA-Net (Zhang et al., AAAI 2021, arXiv:2009.05576).

    Each level has two 3x3x3 convolutions, each followed by group normalization and ReLU. A strided
    convolution leads down; a 1x1x1 convolution and nearest-neighbor upsampling lead up, where the result
    joins the skip connection. No convolution has a bias. It has 23,766,368 parameters at the default
    widths, as the original has.

    Convolutions start with He's normal initialization, with which it learns sooner than with torch's default.
    It departs from the original where a level has an odd size: there the upsampled features lose their last
    voxel and not their first, so that voxel i of one level belongs to voxels 2i and 2i + 1 of the next at odd
    sizes as well as at even ones.

    Args:
        in_channels: number of input images.
        out_channels: number of classes.
        channels: width of each level, from the finest to the coarsest.
        attention: name of the block at the bottom, see :data:`mri_attention.networks.blocks.ATTENTION`.
        attention_options: further arguments of that block.
        dropout: probability that a feature map of the first convolution is dropped.
        norm_groups: number of groups of each normalization.

    Raises:
        ValueError: if ``channels`` is empty or ``norm_groups`` does not divide each of them, or if
            ``attention`` is unknown.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        attention: str = "none",
        attention_options: Mapping[str, Any] | None = None,
        dropout: float = 0.2,
        norm_groups: int = 8,
    ) -> None:
        super().__init__()
        if not channels or any(width % norm_groups for width in channels):
            raise ValueError(f"norm_groups must divide each of channels, got {norm_groups=}, {channels=}")
        first, bottom = channels[0], channels[-1]
        rising = list(pairwise(reversed(channels)))
        self.stem = nn.Sequential(_conv(in_channels, first), nn.Dropout3d(dropout))
        self.encoder = nn.ModuleList(
            _two_convs(narrow, wide, norm_groups) for narrow, wide in pairwise((first, *channels))
        )
        self.down = nn.ModuleList(_conv(width, width, stride=2) for width in channels[:-1])
        self.attention = build_attention(attention, bottom, 3, **(attention_options or {}))
        self.up = nn.ModuleList(nn.Conv3d(wide, narrow, 1, bias=False) for wide, narrow in rising)
        self.decoder = nn.ModuleList(_two_convs(2 * narrow, narrow, norm_groups) for _, narrow in rising)
        self.head = nn.Sequential(_conv(first, first), nn.Conv3d(first, out_channels, 1, bias=False))
        for part in (self.stem, self.encoder, self.down, self.up, self.decoder, self.head):
            part.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(b, in_channels, x, y, z)`` of any size to logits ``(b, out_channels, x, y, z)``."""
        x = self.stem(x)
        skips: list[Tensor] = []
        for encode, down in zip(self.encoder, self.down):  # noqa: B905 (the bottom has no way down)
            x = encode(x)
            skips.append(x)
            x = down(x)
        return self.head(self._decode(self.attention(self.encoder[-1](x)), skips))

    def _decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Lead the features at the bottom back up; ``skips`` are those of the encoder, from the finest."""
        for up, decode in zip(self.up, self.decoder):  # noqa: B905 (TorchScript has no strict)
            x = decode(join(up(x), skips.pop()))
        return x


def join(x: Tensor, skip: Tensor) -> Tensor:
    """Bring coarse features to the grid of ``skip``, and concatenate both."""
    return torch.cat([skip, F.interpolate(x, skip.shape[2:])], 1)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(in_channels, out_channels, 3, stride, padding=1, bias=False)


def _two_convs(in_channels: int, out_channels: int, norm_groups: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (in_channels, out_channels):
        layers += [_conv(width, out_channels), GroupNorm3d(norm_groups, out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
