"""Residual block without normalization."""

from __future__ import annotations

from torch import Tensor, nn


class EDSRResidualBlock(nn.Module):
    """Add two 3x3 convolutions of the input, with ReLU between them: ``y = x + scale conv relu conv x``.

    Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR workshops 2017
    (arXiv:1707.02921). Features are 2D.

    Args:
        in_channels: number of channels of input and output.
        residual_scale: factor of what is added.
    """

    def __init__(self, in_channels: int, residual_scale: float = 1.0) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, in_channels, 3, padding=1),
        )
        self.residual_scale = residual_scale

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype."""
        return x + (self.residual_scale * self.body(x)).to(x.dtype)
