"""ReCNN: super-resolution of interpolated volumes by a residual convolutional network."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ..blocks import convolution_chain
from .interpolation import Interpolation


class ReCNN(nn.Module):
    """Add to an interpolated volume the detail that convolutions find in it.

    Pham et al., "Multiscale brain MRI super-resolution using deep 3D convolutional networks", Comput Med Imaging Graph
    2019, 77:101647, doi:10.1016/j.compmedimag.2019.101647: 3x3x3 convolutions with ReLU between them and zeros around,
    which start from He's initialization. It has 888,769 parameters with 10 layers, as for x2, and 1,995,329 with 20, as
    for several scales.

    Args:
        scale: by how much the input is magnified first, by the cubic spline that it was trained with; 1 for inputs that
            are interpolated already.
        n_layers: number of convolutions.
        channels: width between them.

    Raises:
        ValueError: if ``scale`` is below one or ``n_layers`` below two.
    """

    def __init__(self, scale: int = 2, n_layers: int = 10, channels: int = 64) -> None:
        super().__init__()
        if n_layers < 2:
            raise ValueError(f"n_layers must not be below 2, got {n_layers}")
        self.interpolation = Interpolation(scale, "spline")
        widths = pairwise((1, *[channels] * (n_layers - 1), 1))
        self.layers = convolution_chain(nn.Conv3d(*pair, 3, padding=1) for pair in widths)
        self.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 1, x, y, z)``, intensities from 0 to 1, to ``(b, 1, *(scale * size))``."""
        interpolated = self.interpolation(x)
        return interpolated + self.layers(interpolated).to(x.dtype)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d) and module.bias is not None:
        nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(module.bias)
