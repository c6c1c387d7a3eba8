"""Mutual projection: coarse features and what their cross-scale attention finds, made to agree."""

from __future__ import annotations

from typing import Any

from monai.networks.layers import Conv
from torch import Tensor, nn

from .cross_scale_transformer import CrossScaleTransformer

SLOPE = 0.2  # of the leaky ReLU for negative values


class MutualProjection(nn.Module):
    """Enhance 2D or 3D features by a detour over a finer grid: the MFEM of CFTN.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022::

        Y' = up(X) + CST(X)        on the fine grid
        X' = down(Y')              on the grid of X

    The paper does not give the layers. With transposed and strided convolutions of kernel ``3 scale``, as in CSNLN (Mei
    et al., CVPR 2020, arXiv:2006.01424), and one 3x3 convolution after the latter, the parameters of the network are
    those that its published sizes imply. The slope 0.2 of the activations is a choice.

    Args:
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        scale: of the finer grid.
        attention: further options of :class:`CrossScaleTransformer`.

    Raises:
        ValueError: as :class:`CrossScaleTransformer` does.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3, *, scale: int = 2, **attention: Any) -> None:
        super().__init__()
        self.attention = CrossScaleTransformer(in_channels, spatial_dims, scale=scale, **attention)
        layer = {"kernel_size": 3 * scale, "stride": scale, "padding": scale}
        up, down = Conv[Conv.CONVTRANS, spatial_dims], Conv[Conv.CONV, spatial_dims]
        self.up = nn.Sequential(up(in_channels, in_channels, **layer), nn.LeakyReLU(SLOPE))
        self.down = nn.Sequential(
            down(in_channels, in_channels, **layer), nn.LeakyReLU(SLOPE), down(in_channels, in_channels, 3, padding=1)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(b, c, *spatial)`` to X' of the same shape and Y' ``(b, c, *(scale * spatial))``, of the same dtype."""
        fine = self.up(x).to(x.dtype) + self.attention(x)
        return self.down(fine).to(x.dtype), fine

    def attention_weights(self, x: Tensor) -> Tensor:
        """Return the affinities of :class:`CrossScaleTransformer`."""
        return self.attention.attention_weights(x)
