"""EDSR: super-resolution of one contrast."""

from __future__ import annotations

from torch import Tensor, nn

from ..blocks import SubpixelUpsampling, conv3x3, edsr_chain


class EDSR(nn.Module):
    """Residual blocks without normalization on the coarse grid, then sub-pixel upsampling.

    Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR workshops 2017
    (arXiv:1707.02921). The shift by the mean color of natural images is left out. It has 1,367,553 parameters at the
    default (the paper's baseline), and 43,080,705 at its full size of 32 blocks, width 256 and scale 4, where
    ``residual_scale`` is 0.1.

    Args:
        scale: 3 or a power of two.
        in_channels: number of images in and out.
        n_blocks: number of residual blocks.
        width: number of features.
        residual_scale: factor of what each block adds.

    Raises:
        ValueError: if ``scale`` is another number.
    """

    def __init__(
        self, scale: int = 2, in_channels: int = 1, n_blocks: int = 16, width: int = 64, residual_scale: float = 1.0
    ) -> None:
        super().__init__()
        self.stem = conv3x3(in_channels, width)
        self.body = edsr_chain(width, n_blocks, out_channels=width, scale=residual_scale)
        self.upsample = SubpixelUpsampling(width, scale)
        self.head = conv3x3(width, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(b, c, h, w)`` to ``(b, c, scale h, scale w)``."""
        x = self.stem(x)
        return self.head(self.upsample(x + self.body(x)))
