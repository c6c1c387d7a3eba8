"""Fusion of two contrasts by a convolution of both."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .convolutions import convolution


class ConcatenationFusion(nn.Module):
    """Add a 1x1 convolution of the concatenated features of two contrasts to those of the target.

    The fusion of MINet: Feng et al., MICCAI 2021 (arXiv:2105.08949), ``y = t + conv [a, t]`` for features t of the
    target and a of the guide.

    Args:
        in_channels: number of channels of input, guide and output.
        spatial_dims: 2 or 3.

    Raises:
        ValueError: if ``spatial_dims`` is not 2 or 3.
    """

    def __init__(self, in_channels: int, spatial_dims: int = 3) -> None:
        super().__init__()
        self.conv = convolution(spatial_dims)(2 * in_channels, in_channels, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map features ``(b, c, *spatial)`` and those of the guide to the same shape and dtype."""
        return x + self.conv(torch.cat([context, x], 1)).to(x.dtype)
