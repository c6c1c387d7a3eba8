"""Upsampling by convolution and rearrangement of channels."""

from __future__ import annotations

from torch import nn


class SubpixelUpsampling(nn.Sequential):
    """Refine the grid of 2D features: a 3x3 convolution, then channels become pixels.

    Shi et al., CVPR 2016 (arXiv:1609.05158), in the form of EDSR (Lim et al., CVPR workshops 2017, arXiv:1707.02921):
    one step of factor 3, or a step of factor 2 for each factor of 2 in ``scale``. MONAI's ``SubpixelUpsample`` takes
    one step whatever the scale, and averages what it upsampled.

    Args:
        in_channels: number of channels of input and output.
        scale: 3 or a power of two; 1 for nothing.

    Raises:
        ValueError: if ``scale`` is another number.
    """

    def __init__(self, in_channels: int, scale: int) -> None:
        is_power_of_two = scale > 0 and scale & (scale - 1) == 0
        if not (scale == 3 or is_power_of_two):
            raise ValueError(f"scale must be 3 or a power of two, got {scale}")
        factors = [3] if scale == 3 else [2] * (scale.bit_length() - 1)
        layers: list[nn.Module] = []
        for factor in factors:
            layers += [nn.Conv2d(in_channels, in_channels * factor**2, 3, padding=1), nn.PixelShuffle(factor)]
        super().__init__(*layers)
