"""Tell a network how much noise there is in its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

USUAL_NOISE = 0.02  # of a normalized image; 10 % of the mean magnitude of a head
RATE = 10.0  # of learning, relative to other parameters


class NoiseShift(nn.Module):
    """Shift features by as many numbers times the noise: ``x + 10 W sigma / 0.02``, with W starting at zero.

    After the noise levels that denoising networks take as a channel (Zhang et al. 2018, FFDNet, doi:10.1109/TIP.2018.
    2839891); behind a convolution of one pixel this is the same as such a channel. Without noise nothing changes.

    Args:
        width: number of features.
    """

    optional_weights = True  # what was trained without them did not know the noise

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, 1, 1))
        self.rate = RATE / USUAL_NOISE  # TorchScript sees no constants of a file

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map features ``(b, width, h, w)`` and the noise, ``(b, 1, 1, 1)`` or None for none, to features."""
        return x if noise is None else x + (self.rate * self.weight * noise).to(x.dtype)
