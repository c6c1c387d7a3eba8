"""Compressed sensing: k-space filled so that its image has little total variation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .fourier import AXES
from .gradient import Gradient

NOISELESS_WEIGHT = 0.004
SLOPE = 0.25  # of the weight, by the noise
FILLING_ERROR = 0.01  # of samples that are found, in units of the normalized image


class CompressedSensingSolver:
    """Find the k-space whose image has the least total variation, in agreement with the samples.

    Lustig et al. 2007, doi:10.1002/mrm.21391: ``min_x 1/2 |M F x - y|^2 + weight TV(x)`` with isotropic total variation
    of the complex image, periodic at its borders. Solved by ADMM (Boyd et al. 2011, doi:10.1561/2200000016, section
    3.1) for ``z = D x``; the update of x is exact, as mask and squared differences are both diagonal in k-space::

        z = shrink(D x + u, weight / penalty)
        u = u + D x - z
        F x = (M y + penalty F D^H (z - u)) / (M + penalty |F D|^2)

    With white noise of standard deviation sigma in both parts of the samples, the weight that reconstructs best grows
    with it: ``sqrt(0.004^2 + (SLOPE sigma)^2)`` by default, fitted to heads.

    Iterations work on arrays whose first element is the center, so that nothing is shifted within them.

    Args:
        weight: of total variation, in units of the normalized image; None to have it follow from the noise.
        n_iterations: of ADMM.
        penalty: of ``z = D x``, as a multiple of one; changes the speed, not the result.
        keep_samples: put the measured samples back in the end; with noise, the mean of both that is best for an error
            of ``FILLING_ERROR`` of what was found, see :class:`mri_attention.networks.blocks.KspaceDataConsistency`.

    Raises:
        ValueError: if a number is not positive.
    """

    def __init__(
        self, weight: float | None = None, n_iterations: int = 40, penalty: float = 0.05, keep_samples: bool = False
    ) -> None:
        if not min(1 if weight is None else weight, n_iterations, penalty) > 0:
            raise ValueError(f"arguments must be positive, got {weight=}, {n_iterations=}, {penalty=}")
        self.weight = weight
        self.n_iterations = n_iterations
        self.penalty = penalty
        self.keep_samples = keep_samples

    @torch.no_grad()
    def __call__(self, kspace: Tensor, mask: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Fill k-space.

        Args:
            kspace: undersampled, complex, centered and orthonormal, ``(*, h, w)``; each slice by itself.
            mask: True where there are samples, broadcastable. If it is None, what is not zero in ``kspace`` counts as
                sampled: a sample that was measured as exactly zero is then filled like one that was not measured.
            noise: standard deviation of the real and of the imaginary part of samples, in units of the normalized
                image, broadcastable; None for none.
        """
        kspace = kspace.as_subclass(Tensor)
        noise = kspace.real.new_zeros(()) if noise is None else noise.as_subclass(Tensor).to(kspace.real)
        weight = noise_weight(noise) if self.weight is None else self.weight
        mask = kspace != 0 if mask is None else mask.as_subclass(Tensor).bool()
        sampled = torch.fft.ifftshift(mask, AXES).to(kspace.real.dtype)
        measured = torch.fft.ifftshift(kspace, AXES) * sampled
        weights = sampled + self.penalty * _squared_differences(measured)
        weights = weights.clamp_min(torch.finfo(weights.dtype).eps)  # the mean is not seen by differences
        gradient, u = Gradient(AXES), measured.new_zeros(len(AXES), *measured.shape)
        spectrum = measured
        for _ in range(self.n_iterations):
            differences = gradient(torch.fft.ifft2(spectrum, norm="ortho"))
            z = shrink(differences + u, weight / self.penalty)
            u = u + differences - z
            adjoint = torch.fft.fft2(gradient.adjoint(z - u), norm="ortho")
            spectrum = (measured + self.penalty * adjoint) / weights
        filled = torch.fft.fftshift(spectrum, AXES)
        if not self.keep_samples:
            return filled
        share = FILLING_ERROR**2 / (FILLING_ERROR**2 + noise.square())
        return torch.where(mask, filled + share * (kspace - filled) if noise.any() else kspace, filled)


def noise_weight(noise: Tensor) -> Tensor:
    """Return the weight of total variation that reconstructs best, by the noise of samples of a normalized image."""
    return (NOISELESS_WEIGHT**2 + (SLOPE * noise).square()).sqrt()


def _squared_differences(kspace: Tensor) -> Tensor:
    """Return ``|F D|^2``, the sum over both axes, of k-space whose first element is the center, by sines.

    :func:`gradient_power` has cosines, which lose digits near the center.
    """
    like = {"dtype": kspace.real.dtype, "device": kspace.device}
    frequencies = (torch.fft.fftfreq(n, **like) for n in kspace.shape[-2:])
    rows, columns = (4 * (math.pi * frequency).sin().square() for frequency in frequencies)
    return rows[:, None] + columns


def shrink(x: Tensor, threshold: Tensor | float) -> Tensor:
    """Shorten the vectors along the first axis by ``threshold``, at least to zero."""
    length = torch.view_as_real(x).square().sum((0, -1)).sqrt()  # vector_norm is ten times as slow
    return x * (1 - threshold / length.clamp_min(1e-30)).clamp_min(0)
