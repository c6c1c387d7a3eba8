"""Compressed sensing by total variation, in a network's place."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ...transforms.fourier import image_to_kspace, kspace_to_image


class CompressedSensing(nn.Module):
    """Find the image of least total variation that agrees with the samples; no parameters are learned.

    Lustig et al. 2007, doi:10.1002/mrm.21391: ``min_x 1/2 |M F x - y|^2 + weight TV(x)`` with isotropic total variation
    of the complex image, periodic at its borders. Solved by ADMM (Boyd et al. 2011, doi:10.1561/2200000016, section
    3.1) for ``z = D x``; the update of x is exact, as mask and differences are both diagonal in k-space::

        F x = (M y + penalty F D^H (z - u)) / (M + penalty |F D|^2)
        z = shrink(D x + u, weight / penalty)
        u = u + D x - z

    Args:
        weight: of total variation, in units of the normalized image.
        n_iterations: of ADMM.
        penalty: of ``z = D x``, as a multiple of one; changes the speed, not the result.

    Raises:
        ValueError: if an argument is not positive.
    """

    def __init__(self, weight: float = 0.004, n_iterations: int = 40, penalty: float = 0.1) -> None:
        super().__init__()
        if not min(weight, n_iterations, penalty) > 0:
            raise ValueError(f"arguments must be positive, got {weight=}, {n_iterations=}, {penalty=}")
        self.weight = weight
        self.n_iterations = n_iterations
        self.penalty = penalty

    @torch.no_grad()
    def forward(self, kspace: Tensor, auxiliary: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Reconstruct a complex image ``(b, 1, h, w)``.

        Args:
            kspace: undersampled, complex, centered and orthonormal, zero where there is no sample, ``(b, 1, h, w)``.
            auxiliary: not used; for the same call as the other networks of this task.
            mask: True where there are samples, broadcastable; where ``kspace`` is not zero if it is None.
        """
        sampled = (kspace != 0 if mask is None else mask).to(kspace.real.dtype)
        steps = [_difference_spectrum(kspace, axis) for axis in (-2, -1)]
        weights = sampled + self.penalty * sum(step.abs().square() for step in steps)
        weights = weights.clamp_min(torch.finfo(weights.dtype).eps)  # the mean is not seen by differences
        z = u = torch.zeros_like(torch.cat([kspace, kspace], 1))
        spectrum = kspace
        for _ in range(self.n_iterations):
            adjoint = sum(
                step.conj() * part for step, part in zip(steps, image_to_kspace(z - u).split(1, 1), strict=True)
            )
            spectrum = (sampled * kspace + self.penalty * adjoint) / weights
            differences = kspace_to_image(torch.cat([step * spectrum for step in steps], 1))
            z = _shrink(differences + u, self.weight / self.penalty)
            u = u + differences - z
        return kspace_to_image(spectrum)


def _difference_spectrum(kspace: Tensor, axis: int) -> Tensor:
    """Return what forward differences along ``axis`` multiply centered k-space with."""
    n = kspace.shape[axis]
    frequency = (torch.arange(n, device=kspace.device) - n // 2) * (2 * math.pi / n)
    factor = torch.polar(torch.ones_like(frequency), frequency) - 1
    return factor.to(kspace.dtype).reshape([n if i == axis % kspace.ndim else 1 for i in range(kspace.ndim)])


def _shrink(x: Tensor, threshold: float) -> Tensor:
    """Shorten the vector of all channels by ``threshold``, at least to zero."""
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x * (1 - threshold / length.clamp_min(1e-30)).clamp_min(0)
