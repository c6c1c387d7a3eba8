"""Make a reconstruction agree with the measured k-space."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class KspaceDataConsistency(nn.Module):
    """Put measured samples in the place of predicted ones, or weigh both by the noise.

    Schlemper et al. 2018, IEEE Trans Med Imaging 37:491, doi:10.1109/TMI.2017.2760978: where the mask is true,
    ``k = (prediction + v measured) / (1 + v)``, and ``k = measured`` without noise. Elsewhere k is the prediction.

    Args:
        noise_weight: v, the larger the less noise; None for no noise.

    Raises:
        ValueError: if ``noise_weight`` is negative.
    """

    def __init__(self, noise_weight: float | None = None) -> None:
        super().__init__()
        if noise_weight is not None and noise_weight < 0:
            raise ValueError(f"noise_weight must not be negative, got {noise_weight}")
        self.share = 1.0 if noise_weight is None else noise_weight / (1 + noise_weight)

    def forward(self, kspace: Tensor, measured: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map a prediction to one that agrees with the measurement.

        Args:
            kspace: predicted, complex, ``(b, c, *spatial)``.
            measured: of the same shape, zero where there is no sample.
            mask: True where there is one, broadcastable; where ``measured`` is not zero if it is None.
        """
        is_sampled = measured != 0 if mask is None else mask.to(torch.bool)
        agreed = measured if self.share == 1 else torch.lerp(kspace, measured, self.share)
        if torch.jit.is_scripting():
            return torch.where(is_sampled, agreed, kspace)
        else:  # noqa: RET505 (TorchScript leaves this out)
            return _chosen(is_sampled, agreed, kspace)


@torch.jit.unused
def _chosen(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if torch.compiler.is_exporting():  # ONNX knows no choice between complex numbers
        return torch.complex(torch.where(mask, a.real, b.real), torch.where(mask, a.imag, b.imag))
    return torch.where(mask, a, b)
