"""Residual channel attention block and group."""

from __future__ import annotations

from monai.networks.layers import Conv
from torch import Tensor, nn

from .channel_attention import ChannelAttention


class ResidualChannelAttentionBlock(nn.Module):
    """Refine features by two convolutions whose channels are weighted: RCAB.

    Zhang et al., "Image Super-Resolution Using Very Deep Residual Channel Attention Networks", ECCV 2018
    (arXiv:1807.02758)::

        y = x + CA(W2 relu(W1 x))

    with 3x3 convolutions W1 and W2, and CA a :class:`ChannelAttention`. It has 74,436 parameters at 64 channels in 2D.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        reduction: see :class:`ChannelAttention`.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``reduction`` is below one.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, reduction: int = 16) -> None:
        super().__init__()
        attention = ChannelAttention(in_channels, spatial_dims, reduction=reduction)
        conv = Conv[Conv.CONV, spatial_dims]
        self.body = nn.Sequential(
            conv(in_channels, in_channels, 3, padding=1),
            nn.ReLU(inplace=True),
            conv(in_channels, in_channels, 3, padding=1),
            attention,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return x + self.body(x).to(x.dtype)

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the weights of the channels for ``x`` ``(b, c, *spatial)``: ``(b, c)``, between 0 and 1."""
        return self.body[3].attention_weights(self.body[:3](x))  # type: ignore[operator]


class ResidualGroup(nn.Module):
    """Chain residual channel attention blocks and a 3x3 convolution, and add the input: RG.

    Zhang et al., ECCV 2018 (arXiv:1807.02758). It has 483,544 parameters at 64 channels and 6 blocks in 2D.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        n_blocks: number of :class:`ResidualChannelAttentionBlock`.
        reduction: see :class:`ChannelAttention`.

    Raises:
        ValueError: if ``n_blocks`` is negative, and as the block does.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, n_blocks: int = 6, reduction: int = 16) -> None:
        super().__init__()
        if n_blocks < 0:
            raise ValueError(f"n_blocks must not be negative, got {n_blocks}")
        blocks = (
            ResidualChannelAttentionBlock(in_channels, spatial_dims, reduction=reduction) for _ in range(n_blocks)
        )
        self.body = nn.Sequential(*blocks, Conv[Conv.CONV, spatial_dims](in_channels, in_channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, *spatial)`` to the same shape and dtype."""
        return x + self.body(x).to(x.dtype)
