"""Spatial adaptation of a guide's features to those of the target."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .convolutions import conv3x3, start_at_zero


class SpatialAdaptation(nn.Module):
    """Give 2D features of a guide the statistics of the target, changed pixel by pixel by what both show.

    The spatial adaptation of McMRSR (Li et al., CVPR 2022, arXiv:2203.13963), after MASA-SR (Lu et al., CVPR 2021,
    arXiv:2106.02299), with mean and standard deviation over space of each channel of the target x::

        h = relu(conv [x, r])
        y = norm(r) (conv h + std x) + conv h + mean x

    where norm is instance normalization of the guide r. The last two convolutions start at zero.

    Args:
        in_channels: number of channels of target, guide and output.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(in_channels)
        self.shared = nn.Sequential(conv3x3(2 * in_channels, in_channels), nn.ReLU(inplace=True))
        self.scale, self.shift = (conv3x3(in_channels, in_channels) for _ in range(2))
        start_at_zero(self.scale, self.shift)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map the target ``(b, c, h, w)`` and a guide of the same shape to the adapted guide."""
        shared = self.shared(torch.cat([x, context], 1))
        std, mean = torch.std_mean(x, (2, 3), keepdim=True)
        return self.norm(context) * (self.scale(shared) + std) + self.shift(shared) + mean
