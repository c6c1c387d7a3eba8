"""Compressed sensing by total variation, in a network's place."""

from __future__ import annotations

from torch import Tensor, nn

from ...operators.compressed_sensing import CompressedSensingSolver
from ...operators.fourier import kspace_to_image


class CompressedSensing(nn.Module):
    """Find the image of least total variation that agrees with the samples; no parameters are learned.

    Args:
        options: arguments of :class:`mri_attention.operators.CompressedSensingSolver`.

    Raises:
        ValueError: as that solver.
    """

    def __init__(self, **options: float | None) -> None:
        super().__init__()
        self.fill = CompressedSensingSolver(**options)

    def forward(
        self,
        kspace: Tensor,
        auxiliary: Tensor | None = None,
        mask: Tensor | None = None,
        noise: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> Tensor:
        """Reconstruct a complex image ``(b, 1, h, w)``.

        Args:
            kspace: undersampled, complex, centered and orthonormal, ``(b, 1, h, w)``.
            auxiliary: not used; for the same call as the other networks of this task.
            mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.
            noise: of the samples, see :class:`mri_attention.operators.CompressedSensingSolver`.
            measured: samples as measured; ``kspace`` if it is None.
        """
        return kspace_to_image(self.fill(kspace if measured is None else measured, mask, noise))
