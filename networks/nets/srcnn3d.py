"""SRCNN3D: super-resolution of interpolated volumes by three convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import convolution_chain
from .interpolation import Interpolation


class SRCNN3D(nn.Module):
    """Sharpen an interpolated volume by three convolutions.

    Pham et al., "Brain MRI super-resolution using deep 3D convolutional networks", ISBI 2017,
    doi:10.1109/ISBI.2017.7950500, after Dong et al. 2014 (arXiv:1501.00092). By default it has 52,801 parameters. The
    input's outermost voxels are repeated, so that the convolutions, which do not pad, keep the size. Weights start from
    a normal distribution of 0.001.

    Args:
        scale: by how much the input is magnified first, by the cubic spline that it was trained with; 1 for inputs that
            are interpolated already.
        channels: width between the convolutions.
        kernel_sizes: of the convolutions, one more than ``channels``.

    Raises:
        ValueError: if ``scale`` is below one, or ``kernel_sizes`` are not odd or not one more than ``channels``.
    """

    def __init__(
        self, scale: int = 2, channels: Sequence[int] = (64, 32), kernel_sizes: Sequence[int] = (9, 1, 5)
    ) -> None:
        super().__init__()
        if len(kernel_sizes) != len(channels) + 1 or any(size % 2 == 0 for size in kernel_sizes):
            raise ValueError(
                f"kernel_sizes must be odd and one more than channels, got {tuple(kernel_sizes)} for {tuple(channels)}"
            )
        self.interpolation = Interpolation(scale, "spline")
        self.margin = sum(size // 2 for size in kernel_sizes)
        widths = pairwise((1, *channels, 1))
        self.layers = convolution_chain(nn.Conv3d(*pair, size) for pair, size in zip(widths, kernel_sizes, strict=True))
        self.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, x, y, z)``, intensities from 0 to 1, to ``(b, 1, *(scale * size))``."""
        interpolated = self.interpolation(x)
        return self.layers(F.pad(interpolated, [self.margin] * 6, mode="replicate"))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d) and module.bias is not None:
        nn.init.normal_(module.weight, std=0.001)
        nn.init.zeros_(module.bias)
