"""Fusion of feature maps by spatial attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .convolutions import convolution


class SpatialAttentionFusion(nn.Module):
    """Add up feature maps and weight each voxel of the sum: the SAFM of CFTN, 2D or 3D.

    Zhang et al., "3D Cross-Scale Feature Transformer Network for Brain MR Image Super-Resolution", ICASSP 2022::

        Ya = Y + Y'
        Yf = Ya sigmoid(conv([avg Ya, max Ya]))     mean and maximum over channels

    Args:
        spatial_dims: 2 or 3.
        kernel_size: odd size of the convolution; 3 as all in the paper, where CBAM has 7.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3, or ``kernel_size`` is even.
    """

    def __init__(self, spatial_dims: int = 3, *, kernel_size: int = 3) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        self.conv = convolution(spatial_dims)(2, 1, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Fuse maps of one shape ``(b, c, *spatial)``, or weight one that is a sum already."""
        total = x if other is None else x + other
        return (total * self.attention_weights(total)).to(x.dtype)

    def attention_weights(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Return the weights ``(b, 1, *spatial)``, between 0 and 1."""
        total = x if other is None else x + other
        return self.conv(torch.cat([total.mean(1, keepdim=True), total.amax(1, keepdim=True)], 1)).sigmoid()
