"""Residual dense block of dilated convolutions with channel attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .channel_attention import ChannelAttention


class DilatedDenseBlock(nn.Module):
    """Concatenate the results of ever wider convolutions, fuse them, weight the channels, and add the input.

    The squeeze-and-excitation dilated residual dense block of DuDoRNet: Zhou and Zhou, CVPR 2020 (arXiv:2001.03799).
    Each 3x3 convolution gets all that came before, and is followed by ReLU. Features are 2D.

    Args:
        in_channels: number of channels of input and output.
        growth: number of channels of each convolution.
        dilations: of the convolutions, in their order.
        reduction: see :class:`ChannelAttention`, whose layers have no biases here.
    """

    def __init__(
        self, in_channels: int, growth: int = 32, dilations: Sequence[int] = (1, 2, 3, 3), *, reduction: int = 16
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels + index * growth, growth, 3, padding=dilation, dilation=dilation)
            for index, dilation in enumerate(dilations)
        )
        self.fusion = nn.Conv2d(in_channels + len(dilations) * growth, in_channels, 1)
        self.attention = ChannelAttention(in_channels, 2, reduction=reduction, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype."""
        features = x
        for conv in self.convs:
            features = torch.cat([features, conv(features).relu()], 1)
        return x + self.attention(self.fusion(features)).to(x.dtype)
