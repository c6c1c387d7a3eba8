"""Dense blocks on the coarse grid and one deconvolution: after DDSR and EDDSR."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..blocks import DenseBlock
from .interpolation import Interpolation, Method


class DDSRNet(nn.Module):
    """Magnify volumes by densely connected convolutions on the coarse grid, and one transposed convolution.

    After Du et al. 2018 (DDSR) and Wang et al. 2021 (EDDSR), whose layers are not public: what is known is that dense
    modules work on the coarse grid, and that a single deconvolution fuses what all of them found and refines the grid.
    Numbers of modules and channels, and that the result is added to the interpolated input, are choices. EDDSR averages
    over mirror images in addition (:class:`SelfEnsembleInferer`); that one of its models serves several scales is not
    reproduced.

    Args:
        scale: 2 or 3.
        channels: width between the modules.
        n_modules: number of dense modules.
        n_layers: number of convolutions of a module.
        growth: number of channels of each convolution.
        interpolation: of the input, see :class:`Interpolation`.

    Raises:
        ValueError: if ``scale`` is not 2 or 3, or another number is below one.
    """

    def __init__(
        self,
        scale: int = 2,
        channels: int = 32,
        n_modules: int = 4,
        n_layers: int = 4,
        growth: int = 16,
        interpolation: Method = "spline",
    ) -> None:
        super().__init__()
        if scale not in (2, 3) or min(channels, n_modules, n_layers, growth) < 1:
            numbers = f"{scale=}, {channels=}, {n_modules=}, {n_layers=}, {growth=}"
            raise ValueError(f"scale must be 2 or 3, and all others at least 1, got {numbers}")
        self.interpolation = Interpolation(scale, interpolation)
        self.head = nn.Sequential(nn.Conv3d(1, channels, 3, padding=1), nn.ReLU())
        self.blocks = nn.ModuleList(
            DenseBlock(channels, growth=growth, dilations=[1] * n_layers) for _ in range(n_modules)
        )
        self.up = nn.ConvTranspose3d((n_modules + 1) * channels, 1, 3 * scale, scale, scale)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, x, y, z)`` of any size to ``(b, 1, *(scale * size))``."""
        features = [self.head(x)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return self.interpolation(x) + self.up(torch.cat(features, 1)).to(x.dtype)
