"""MONAI's variational network on the k-space of one virtual coil."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.reconstruction.networks.blocks.varnetblock import VarNetBlock
from monai.apps.reconstruction.networks.nets.complex_unet import ComplexUnet
from torch import Tensor, nn

from ...operators.fourier import kspace_to_image


class SingleCoilVarNet(nn.Module):
    """Refine k-space by cascades of a U-Net in the image domain and a soft step towards the samples; no guide.

    Sriram et al., "End-to-End Variational Networks for Accelerated MRI Reconstruction", MICCAI 2020
    (arXiv:2004.06688), of MONAI's ``VarNetBlock`` and ``ComplexUnet``. Coils are combined before, so that the
    sensitivity is one everywhere and the network that estimates it is left out.

    Args:
        n_cascades: number of cascades; its authors have twelve.
        features: widths of each U-Net, from the finest level to the coarsest, and of the last one again.

    Raises:
        ValueError: if ``n_cascades`` is not positive.
    """

    def __init__(self, n_cascades: int = 4, features: Sequence[int] = (16, 16, 32, 64, 128, 16)) -> None:
        super().__init__()
        if n_cascades < 1:
            raise ValueError(f"n_cascades must be positive, got {n_cascades}")
        self.cascades = nn.ModuleList(VarNetBlock(ComplexUnet(2, tuple(features))) for _ in range(n_cascades))

    def forward(self, kspace: Tensor, auxiliary: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Reconstruct a magnitude image ``(b, 1, h, w)`` of more than 16 pixels along each axis.

        Args:
            kspace: undersampled, complex, centered and orthonormal, zero where there is no sample, ``(b, 1, h, w)``.
            auxiliary: not used; for the same call as the other networks of this task.
            mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.

        Slices without signal stay zero: MONAI's network would divide by their standard deviation.
        """
        if mask is not None:
            mask = mask.expand_as(kspace)
        has_signal = kspace.flatten(1).any(1)
        if not has_signal.all():
            image = torch.zeros_like(kspace.real)
            if has_signal.any():
                image[has_signal] = self(kspace[has_signal], None, None if mask is None else mask[has_signal])
            return image
        sampled = (kspace != 0 if mask is None else mask.bool().expand_as(kspace))[..., None]
        measured = torch.view_as_real(kspace)
        sensitivity = torch.view_as_real(torch.ones_like(kspace))
        refined = measured
        for cascade in self.cascades:
            refined = cascade(refined, measured, sampled, sensitivity)
        return kspace_to_image(torch.view_as_complex(refined.to(measured.dtype).contiguous())).abs()
