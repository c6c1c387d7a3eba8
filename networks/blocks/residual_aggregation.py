"""Aggregation of target and guide by the residuals between their grids."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualAggregation(nn.Module):
    """Join 2D features of a target with those of a guide on a finer or the same grid, by what each lacks.

    The joint residual feature aggregation of McMRSR (Li et al., CVPR 2022, arXiv:2203.13963), after MASA-SR (Lu et al.,
    CVPR 2021, arXiv:2106.02299), for a target x and a guide r, with strided convolutions D down and transposed
    convolutions U up (plain ones where the grids are the same), each followed by ReLU::

        a = r + U_a(D_a(r) - x)
        b = U_b(2 x - D_b(r))
        y = relu(conv [a, b])

    Args:
        in_channels: number of channels of target, guide and output.
        scale: 2 for a guide on a grid twice as fine, 1 for one on the same grid.

    Raises:
        ValueError: if ``scale`` is neither 1 nor 2.
    """

    def __init__(self, in_channels: int, scale: int = 2) -> None:
        super().__init__()
        if scale not in (1, 2):
            raise ValueError(f"scale must be 1 or 2, got {scale}")
        self.down_a, self.down_b = (_then_relu(nn.Conv2d(in_channels, in_channels, 3, scale, 1)) for _ in "ab")
        self.up_a, self.up_b = (_then_relu(_up(in_channels, scale)) for _ in "ab")
        self.join = _then_relu(nn.Conv2d(2 * in_channels, in_channels, 3, padding=1))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map the target ``(b, c, h, w)`` and a guide ``(b, c, scale h, scale w)`` to the shape of the guide."""
        guide = context + self.up_a(self.down_a(context) - x)
        target = self.up_b(2 * x - self.down_b(context))
        return self.join(torch.cat([guide, target], 1))


def _up(in_channels: int, scale: int) -> nn.Module:
    if scale == 1:
        return nn.Conv2d(in_channels, in_channels, 3, padding=1)
    return nn.ConvTranspose2d(in_channels, in_channels, 3, scale, 1, scale - 1)


def _then_relu(conv: nn.Module) -> nn.Sequential:
    return nn.Sequential(conv, nn.ReLU(inplace=True))
