"""Make a reconstruction agree with the measured k-space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...operators.kspace_noise import relative_distance

RATE = 10.0  # of learning, relative to other parameters


class KspaceDataConsistency(nn.Module):
    """Put measured samples in the place of predicted ones, or weigh both by the noise.

    Schlemper et al. 2018, IEEE Trans Med Imaging 37:491, doi:10.1109/TMI.2017.2760978: where the mask is true,
    ``k = (prediction + v measured) / (1 + v)``, and ``k = measured`` without noise. Elsewhere k is the prediction.

    Where the noise sigma of the samples is given, and their error is independent of the prediction's, whose size is
    tau, the mean square error is least with ``v = tau^2 / sigma^2``, that is with the share
    ``w = tau^2 / (tau^2 + sigma^2)`` of the measured sample: all of it without noise. tau is learned as
    ``exp(10 (c0 + c1 r + c2 r^2))`` of the distance r from the center of k-space, 1 at the middle of each edge; the
    factor makes steps of an optimizer such as Adam, which are as large for all parameters, large enough.

    Args:
        noise_weight: v, the larger the less noise; None for no noise.
        prediction_error: tau before training, in units of the normalized k-space; one number, or those at a distance of
            0, 1/2 and 1. None for a block without parameters, which does not look at the noise that is given.

    Raises:
        ValueError: if ``noise_weight`` is negative, ``prediction_error`` is not positive, or both are given.
    """

    optional_weights = True  # what was trained without them did not know the noise

    def __init__(
        self, noise_weight: float | None = None, prediction_error: float | Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if noise_weight is not None and noise_weight < 0:
            raise ValueError(f"noise_weight must not be negative, got {noise_weight}")
        errors = (
            [prediction_error] * 3 if isinstance(prediction_error, float | int) else list(prediction_error or (1, 1, 1))
        )
        if len(errors) != 3 or not min(errors) > 0:
            raise ValueError(f"prediction_error must be one or three positive numbers, got {prediction_error}")
        if noise_weight is not None and prediction_error is not None:
            raise ValueError(f"give one of both, got {noise_weight=} and {prediction_error=}")
        self.share = 1.0 if noise_weight is None else noise_weight / (1 + noise_weight)
        self.rate = RATE  # TorchScript sees no constants of a file
        center, middle, edge = (math.log(error) / RATE for error in errors)
        start = torch.tensor([center, 4 * middle - 3 * center - edge, 2 * (center + edge - 2 * middle)])
        self.log_error = None if prediction_error is None else nn.Parameter(start)

    def forward(
        self, kspace: Tensor, measured: Tensor, mask: Tensor | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """Map a prediction to one that agrees with the measurement.

        Args:
            kspace: predicted, complex, ``(b, c, h, w)``; without learned errors of any spatial shape.
            measured: of the same shape, zero where there is no sample.
            mask: True where there is one, broadcastable; where ``measured`` is not zero if it is None.
            noise: standard deviation of the real and of the imaginary part of samples, broadcastable; None for none.
        """
        is_sampled = measured != 0 if mask is None else mask.to(torch.bool)
        if noise is None or self.log_error is None:
            agreed = measured if self.share == 1 else torch.lerp(kspace, measured, self.share)
        else:
            agreed = kspace + self.measured_share(kspace, noise) * (measured - kspace)
        if torch.jit.is_scripting():
            return torch.where(is_sampled, agreed, kspace)
        else:  # noqa: RET505 (TorchScript leaves this out)
            return _chosen(is_sampled, agreed, kspace)

    def measured_share(self, kspace: Tensor, noise: Tensor) -> Tensor:
        """Return w, broadcastable to ``kspace``, ``(b, c, h, w)``."""
        coefficients = self.log_error
        if coefficients is None:
            return torch.ones_like(noise)
        distance = relative_distance(kspace.shape[-2], kspace.shape[-1]).to(coefficients.device)
        error = (self.rate * (coefficients[0] + coefficients[1] * distance + coefficients[2] * distance.square())).exp()
        return error.square() / (error.square() + noise.square())


@torch.jit.unused
def _chosen(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if torch.compiler.is_exporting():  # ONNX knows no choice between complex numbers
        return torch.complex(torch.where(mask, a.real, b.real), torch.where(mask, a.imag, b.imag))
    return torch.where(mask, a, b)
