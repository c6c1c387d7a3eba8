"""The 3D U-Net of QSMnet, with a slot for an attention block at its bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import build_attention

SLOPE = 0.1  # of the leaky ReLU for negative values


class QSMUNet(nn.Module):
    """The network of QSMnet: Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030.

    Each level has two 5x5x5 convolutions with bias, batch normalization (epsilon 1e-3) and leaky ReLU (0.1); maxima of
    2x2x2 voxels lead down, transposed 2x2x2 convolutions of half the width up, where their result joins the skip
    connection; a 1x1x1 convolution ends it. At the default widths it has 99,453,985 parameters, as the published code.

    It departs from that code in three points. Volumes are padded with zeros at their ends to a multiple of the coarsest
    voxel and cut back, where there half of the padding is meant to go to each side and odd differences fail. Running
    statistics forget with torch's 0.1, not 0.01, which suits short trainings. Convolutions start with He's
    initialization.

    Args:
        in_channels: number of input maps.
        out_channels: number of output maps.
        channels: width of each level, from the finest to the coarsest.
        kernel_size: odd number of voxels.
        attention: name of the block at the bottom, see :data:`mri_attention.networks.blocks.ATTENTION`.
        attention_options: further arguments of that block.

    Raises:
        ValueError: if ``channels`` is empty, ``kernel_size`` is not odd, or ``attention`` is unknown.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        kernel_size: int = 5,
        attention: str = "none",
        attention_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not channels or kernel_size % 2 == 0:
            raise ValueError(f"channels must not be empty and kernel_size odd, got {channels=}, {kernel_size=}")
        rising = list(pairwise(reversed(channels)))
        self.encoder = nn.ModuleList(
            _two_convs(narrow, wide, kernel_size) for narrow, wide in pairwise((in_channels, *channels))
        )
        self.attention = build_attention(attention, channels[-1], 3, **(attention_options or {}))
        self.up = nn.ModuleList(nn.ConvTranspose3d(wide, narrow, 2, 2) for wide, narrow in rising)
        self.decoder = nn.ModuleList(_two_convs(2 * narrow, narrow, kernel_size) for _, narrow in rising)
        self.head = nn.Conv3d(channels[0], out_channels, 1)
        self.encoder.apply(_initialize)
        self.decoder.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, in_channels, x, y, z)`` of any size to ``(b, out_channels, x, y, z)``."""
        shape = x.shape[2:]
        step = 1 << len(self.up)
        x = F.pad(x, [0, -shape[2] % step, 0, -shape[1] % step, 0, -shape[0] % step])
        skips: list[Tensor] = []
        for level, encode in enumerate(self.encoder):
            if level > 0:
                skips.append(x)
                x = F.max_pool3d(x, 2)
            x = encode(x)
        x = self.attention(x)
        for up, decode in zip(self.up, self.decoder):  # noqa: B905 (TorchScript has no strict)
            x = decode(torch.cat([skips.pop(), up(x)], 1))
        out: Tensor = self.head(x)
        return out[..., : shape[0], : shape[1], : shape[2]]


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, SLOPE)


def _two_convs(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (in_channels, out_channels):
        layers += [
            nn.Conv3d(width, out_channels, kernel_size, padding=kernel_size // 2),
            nn.BatchNorm3d(out_channels, eps=1e-3),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
    return nn.Sequential(*layers)
