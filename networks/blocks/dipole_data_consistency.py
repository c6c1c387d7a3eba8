"""Make a susceptibility map agree with the measured field."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ...operators.dipole import filter_kspace


class DipoleDataConsistency(nn.Module):
    """Take from the measured field what it tells well, and from a map the rest.

    The minimizer of ``|D x - b|^2 + weight |x - chi|^2`` in closed form, ``F x = (D F b + weight F chi) / (D^2 +
    weight)``, as in MoDL, Aggarwal et al. 2019, IEEE Trans Med Imaging 38:394, doi:10.1109/TMI.2018.2865356. It is
    computed as ``x = chi + F^-1 D / (D^2 + weight) F M (b - D chi)``, which is the same where the mask M is 1, and
    leaves out what is not measured. Maps are periodic.

    Args:
        weight: of the map, in units of D^2, whose values are up to 4/9.
        is_learned: whether the (logarithm of the) weight is trained.

    Raises:
        ValueError: if ``weight`` is not positive.
    """

    log_weight: Tensor

    def __init__(self, weight: float = 0.1, is_learned: bool = True) -> None:
        super().__init__()
        if not weight > 0:
            raise ValueError(f"weight must be positive, got {weight}")
        self.log_weight = nn.Parameter(torch.tensor(math.log(weight)), requires_grad=is_learned)

    def forward(self, susceptibility: Tensor, field: Tensor, kernel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map ``chi`` to ``x``.

        Args:
            susceptibility: ppm, ``(b, 1, x, y, z)``.
            field: ppm, of the same shape.
            kernel: the dipole D in k-space, ``(x, y, z)`` or ``(b, 1, x, y, z)``, real and even, zero frequency first.
            mask: where the field is measured, ``(b, 1, x, y, z)``; everywhere if it is None.
        """
        residual = field - filter_kspace(susceptibility, kernel)
        if mask is not None:
            residual = residual * mask
        weight = self.log_weight.exp().to(kernel.dtype)
        return susceptibility + filter_kspace(residual, kernel / (kernel**2 + weight))
