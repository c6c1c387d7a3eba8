"""Residual block without normalization."""

from __future__ import annotations

from torch import Tensor, nn

from .convolutions import conv3x3


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
            conv3x3(in_channels, in_channels), nn.ReLU(inplace=True), conv3x3(in_channels, in_channels)
        )
        self.residual_scale = residual_scale

    def forward(self, x: Tensor) -> Tensor:
        """Map features of shape ``(b, c, h, w)`` to the same shape and dtype."""
        return x + (self.residual_scale * self.body(x)).to(x.dtype)


def edsr_chain(
    width: int, n_blocks: int, in_channels: int | None = None, out_channels: int | None = None, scale: float = 1.0
) -> nn.Sequential:
    """Chain residual blocks, between 3x3 convolutions from and to other widths where these are given."""
    stem = [] if in_channels is None else [conv3x3(in_channels, width)]
    blocks = [EDSRResidualBlock(width, scale) for _ in range(n_blocks)]
    head = [] if out_channels is None else [conv3x3(width, out_channels)]
    return nn.Sequential(*stem, *blocks, *head)
