"""Upsampling of volumes by convolution and rearrangement of channels, by a factor of its own along each axis."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class SubpixelVolume(nn.Module):
    """Refine the grid of 3D features: a 3x3x3 convolution, then channels become voxels.

    Shi et al., CVPR 2016 (arXiv:1609.05158), in one step, as MONAI's ``SubpixelUpsample`` without pooling, which has
    one factor for all axes.

    Args:
        in_channels: number of channels of the input.
        out_channels: number of channels of the output.
        factors: how many voxels one becomes along each of the three axes.

    Raises:
        ValueError: if there are not three positive factors.
    """

    def __init__(self, in_channels: int, out_channels: int, factors: Sequence[int]) -> None:
        super().__init__()
        if len(factors) != 3 or min(factors) < 1:
            raise ValueError(f"factors must be three positive numbers, got {tuple(factors)}")
        self.factors = list(factors)
        self.conv_block = nn.Conv3d(in_channels, out_channels * factors[0] * factors[1] * factors[2], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, c, x, y, z)`` to ``(b, out_channels, f_x x, f_y y, f_z z)``."""
        b, _, n_x, n_y, n_z = x.shape
        f_x, f_y, f_z = self.factors[0], self.factors[1], self.factors[2]
        voxels = self.conv_block(x).reshape(b, -1, f_x, f_y, f_z, n_x, n_y, n_z).permute(0, 1, 5, 2, 6, 3, 7, 4)
        return voxels.reshape(b, -1, f_x * n_x, f_y * n_y, f_z * n_z)
