"""MONAI's variational network on the k-space of one virtual coil."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.reconstruction.networks.blocks.varnetblock import VarNetBlock
from monai.apps.reconstruction.networks.nets.complex_unet import ComplexUnet
from torch import Tensor, nn

from ...operators.fourier import kspace_to_image
from ..blocks import KspaceDataConsistency


class SingleCoilVarNet(nn.Module):
    """Refine k-space by cascades of a U-Net in the image domain and a soft step towards the samples; no guide.

    Sriram et al., "End-to-End Variational Networks for Accelerated MRI Reconstruction", MICCAI 2020
    (arXiv:2004.06688), of MONAI's ``VarNetBlock`` and ``ComplexUnet``. Coils are combined before, so that the
    sensitivity is one everywhere and the network that estimates it is left out.

    Args:
        n_cascades: number of cascades; its authors have twelve.
        features: widths of each U-Net, from the finest level to the coarsest, and of the last one again.
        prediction_error: see :class:`mri_attention.networks.blocks.KspaceDataConsistency`; with it, the steps go
            towards samples and present estimate, weighed by the noise.

    Raises:
        ValueError: if ``n_cascades`` is not positive.
    """

    def __init__(
        self,
        n_cascades: int = 4,
        features: Sequence[int] = (16, 16, 32, 64, 128, 16),
        prediction_error: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if n_cascades < 1:
            raise ValueError(f"n_cascades must be positive, got {n_cascades}")
        self.cascades = nn.ModuleList(VarNetBlock(ComplexUnet(2, tuple(features))) for _ in range(n_cascades))
        self.consistency = KspaceDataConsistency(None, prediction_error)

    def forward(
        self,
        kspace: Tensor,
        auxiliary: Tensor | None = None,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> Tensor:
        """Reconstruct a magnitude image ``(b, 1, h, w)`` of more than 16 pixels along each axis.

        Args:
            kspace: undersampled, complex, centered and orthonormal, zero where there is no sample, ``(b, 1, h, w)``.
            auxiliary: not used; for the same call as the other networks of this task.
            mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.
            noise: standard deviation of the real and of the imaginary part of samples, ``(b, 1, 1, 1)``; None for none.
            measured: samples as measured, where ``kspace`` is an estimate there too; ``kspace`` if it is None.

        Slices without signal stay zero: MONAI's network would divide by their standard deviation.
        """
        has_signal = kspace.flatten(1).any(1)
        if not has_signal.all():
            image = torch.zeros_like(kspace.real)
            if has_signal.any():
                others = (None if x is None else x.expand(len(kspace), *x.shape[-3:]) for x in (mask, noise, measured))
                parts = (x if x is None else x[has_signal] for x in others)
                image[has_signal] = self(kspace[has_signal], None, *parts)
            return image
        samples = kspace if measured is None else measured
        sampled = samples != 0 if mask is None else mask.bool().expand_as(kspace)
        sensitivity = torch.view_as_real(torch.ones_like(kspace))
        refined = kspace
        for cascade in self.cascades:
            towards = torch.view_as_real(self.consistency(refined, samples, sampled, noise))
            step = cascade(torch.view_as_real(refined), towards, sampled[..., None], sensitivity)
            refined = torch.view_as_complex(step.to(kspace.real.dtype).contiguous())
        return kspace_to_image(refined).abs()
