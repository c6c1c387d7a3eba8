"""Dense blocks, and the residual one of dilated convolutions with channel attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .channel_attention import ChannelAttention
from .convolutions import convolution


class DenseBlock(nn.Module):
    """Concatenate the results of convolutions of width 3, each of all that came before, and fuse them.

    ReLU follows each but the fusion, of width 1.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        growth: number of channels of each convolution.
        dilations: of the convolutions, in their order.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, growth: int, dilations: Sequence[int]) -> None:
        super().__init__()
        conv = convolution(spatial_dims)
        self.convs = nn.ModuleList(
            conv(in_channels + index * growth, growth, 3, padding=dilation, dilation=dilation)
            for index, dilation in enumerate(dilations)
        )
        self.fusion = conv(in_channels + len(dilations) * growth, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape."""
        for conv in self.convs:
            x = torch.cat([x, conv(x).relu()], 1)
        return self.fusion(x)


class DilatedDenseBlock(DenseBlock):
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
        super().__init__(in_channels, 2, growth=growth, dilations=dilations)
        self.attention = ChannelAttention(in_channels, 2, reduction=reduction, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype."""
        return x + self.attention(super().forward(x)).to(x.dtype)
