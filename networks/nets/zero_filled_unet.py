"""U-Net on the zero-filled image, without a guide."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets import BasicUNet
from torch import Tensor, nn

from ...transforms.fourier import kspace_to_image


class ZeroFilledUNet(nn.Module):
    """Refine the magnitude of the zero-filled image by MONAI's U-Net; the guide is not used.

    The single-contrast baseline of MANet, after Ronneberger et al., MICCAI 2015 (arXiv:1505.04597).

    Args:
        features: widths of MONAI's ``BasicUNet``, from the finest level to the coarsest, and of the last one again.
    """

    def __init__(self, features: Sequence[int] = (32, 32, 64, 128, 256, 32)) -> None:
        super().__init__()
        self.unet = BasicUNet(2, 1, 1, tuple(features))

    def forward(self, kspace: Tensor, auxiliary: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Reconstruct a magnitude image ``(b, 1, h, w)`` of at least 32 pixels along each axis.

        Args:
            kspace: undersampled, complex, centered and orthonormal, zero where there is no sample, ``(b, 1, h, w)``.
            auxiliary: not used; for the same call as the other networks of this task.
            mask: not used, likewise.
        """
        image: Tensor = self.unet(kspace_to_image(kspace).abs())
        return image
