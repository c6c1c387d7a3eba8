"""U-Net on the image of k-space, without a guide."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets import BasicUNet
from torch import Tensor, nn

from ...operators.fourier import kspace_to_image
from ..blocks import start_at_zero


class ZeroFilledUNet(nn.Module):
    """Refine the magnitude of the image that k-space gives by MONAI's U-Net; the guide is not used.

    The single-contrast baseline of MANet, after Ronneberger et al., MICCAI 2015 (arXiv:1505.04597).

    Args:
        features: widths of MONAI's ``BasicUNet``, from the finest level to the coarsest, and of the last one again.
        is_residual: add the result to that magnitude; the last convolution starts at zero then.
    """

    def __init__(self, features: Sequence[int] = (32, 32, 64, 128, 256, 32), is_residual: bool = False) -> None:
        super().__init__()
        self.unet = BasicUNet(2, 1, 1, tuple(features))
        self.is_residual = is_residual
        if is_residual:
            start_at_zero(self.unet.final_conv)

    def forward(self, kspace: Tensor, *others: Tensor | None) -> Tensor:
        """Reconstruct a magnitude image ``(b, 1, h, w)`` of at least 32 pixels along each axis.

        Args:
            kspace: undersampled, complex, centered and orthonormal, ``(b, 1, h, w)``; zero, or an estimate, where there
                is no sample.
            others: not used; for the same call as the other networks of this task.
        """
        magnitude = kspace_to_image(kspace).abs()
        image: Tensor = self.unet(magnitude)
        return magnitude + image if self.is_residual else image
