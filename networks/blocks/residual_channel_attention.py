"""Residual channel attention block."""

from __future__ import annotations

from monai.networks.layers import Conv
from torch import Tensor, nn

from .channel_attention import ChannelAttention


class ResidualChannelAttention(nn.Module):
    """Add to 2D or 3D features what two convolutions and channel attention make of them.

    Zhang et al., "Image Super-Resolution Using Very Deep Residual Channel Attention Networks", ECCV 2018
    (arXiv:1807.02758): ``y = x + CA(W2 relu(W1 x))``, with 3x3 convolutions and :class:`ChannelAttention`.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: by how much the attention narrows the channels.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``reduction`` is below one.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, reduction: int = 16) -> None:
        super().__init__()
        attention = ChannelAttention(in_channels, spatial_dims, reduction=reduction)
        conv = Conv[Conv.CONV, spatial_dims]
        self.body = nn.Sequential(
            conv(in_channels, in_channels, 3, padding=1),
            nn.ReLU(),
            conv(in_channels, in_channels, 3, padding=1),
            attention,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return x + self.body(x).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the weights of the channels for ``x`` ``(b, c, *spatial)``: ``(b, c)``, between 0 and 1."""
        attention = self.body[-1]
        assert isinstance(attention, ChannelAttention)
        return attention.attention_weights(self.body[:-1](x))
