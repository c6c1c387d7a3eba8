"""Reconstruction from undersampled k-space of several coils whose sensitivities are known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .coils import Coils
from .compressed_sensing import noise_weight, shrink
from .conjugate_gradient import conjugate_gradient
from .fourier import AXES, Fourier
from .gradient import Gradient
from .linear_operator import LinearOperator, Map, Sampling

N_ITERATIONS, N_INNER = 15, 3
PENALTY = 0.05  # as for one coil


def coil_operator(coil_maps: Tensor, mask: Tensor) -> LinearOperator:
    """Return ``M F S``, which maps images ``(b, 1, h, w)`` to samples of the coils ``(b, coil, h, w)``."""
    return Sampling(mask) @ Fourier() @ Coils(coil_maps, 1)


@torch.no_grad()
def multi_coil_total_variation(
    samples: Tensor,
    coil_maps: Tensor,
    mask: Tensor,
    noise: Tensor | None = None,
    n_iterations: int = N_ITERATIONS,
    weight: float | Tensor | None = None,
) -> Tensor:
    """Find the image of least total variation that agrees with the samples of all coils.

    ``min_x 1/2 |M F S x - y|^2 + weight TV(x)`` (Block et al. 2007, doi:10.1002/mrm.21236) with the weight of
    :func:`noise_weight`, by ADMM as in :class:`CompressedSensingSolver`, except that the update of x takes three steps
    of conjugate gradients from the last one, as no transform makes coils and sampling diagonal together.

    Args:
        samples: y, complex, ``(b, coil, h, w)``, zero where there are none, in units of the normalized image.
        coil_maps: S, of unit norm over the coils or zero, of the same shape.
        mask: M, True is sampled, broadcastable.
        noise: standard deviation of the real and of the imaginary part of samples, ``(b, 1, 1, 1)``; None for none.
        n_iterations: of ADMM.
        weight: of total variation; None to have it follow from the noise.

    Returns:
        x, complex, ``(b, 1, h, w)``.
    """
    encode, gradient = coil_operator(coil_maps, mask), Gradient(AXES)
    n_coils, root = samples.shape[1], PENALTY**0.5

    def differences_of(x: Tensor) -> Tensor:
        return gradient(x)[:, :, 0].movedim(0, 1)

    def sum_of_adjoints(y: Tensor) -> Tensor:
        return encode.adjoint(y[:, :n_coils]) + root * gradient.adjoint(y[:, n_coils:].movedim(1, 0)[:, :, None])

    both = Map(lambda x: torch.cat([encode(x), root * differences_of(x)], 1), sum_of_adjoints)
    if weight is None:
        weight = noise_weight(samples.real.new_zeros(()) if noise is None else noise)
    threshold = torch.as_tensor(weight).reshape(-1, 1, 1) / PENALTY  # of each item of the batch
    image = encode.adjoint(samples)
    u = torch.zeros_like(differences_of(image)).movedim(1, 0)
    for _ in range(n_iterations):
        differences = differences_of(image).movedim(1, 0)
        z = shrink(differences + u, threshold)
        u = u + differences - z
        rest = torch.cat([samples - encode(image), root * (z - u - differences).movedim(0, 1)], 1)
        image = image + conjugate_gradient(both, rest, N_INNER)
    return image


def total_variation_of_slices(
    samples: Tensor,
    coil_maps: Tensor,
    mask: Tensor,
    noise: Tensor,
    weight: float | None = None,
    factor: float = 1.0,
    solved: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Solve :func:`multi_coil_total_variation` slice by slice, for memory.

    Args:
        samples: complex, ``(coil, slice, h, w)``.
        coil_maps: of the same shape.
        mask: ``(1, slice, h, w)``, or one that broadcasts to it.
        noise: of each slice, or one for all, broadcastable to ``(1, slice, 1, 1)``.
        weight: of total variation; None to have it follow from the noise.
        factor: by which that weight is multiplied.
        solved: is called after each slice with how many are solved, and of how many.

    Returns:
        Complex, ``(1, slice, h, w)``.
    """
    n_slices = samples.shape[1]
    mask, noise = mask.expand(1, *samples.shape[1:]), noise.expand(1, n_slices, 1, 1)
    images = []
    for i in range(n_slices):
        y, maps, where, spread = (x[:, i][None] for x in (samples, coil_maps, mask, noise))
        chosen = factor * (noise_weight(spread) if weight is None else weight)
        images.append(multi_coil_total_variation(y, maps, where, spread, weight=chosen))
        solved(i + 1, n_slices)
    return torch.cat(images, 1)


@torch.no_grad()
def agree_with_coils(
    image: Tensor,
    samples: Tensor,
    coil_maps: Tensor,
    mask: Tensor,
    noise: Tensor | None = None,
    error: float = 0.01,
    n_iterations: int = 20,
) -> Tensor:
    """Correct an image so that it agrees with the samples of all coils.

    ``min_x |M F S x - y|^2 / noise^2 + |x - image|^2 / error^2``: what is most likely where both errors are Gaussian
    and white. For one coil this is :class:`mri_attention.networks.blocks.KspaceDataConsistency`. By conjugate gradients
    for the correction (Pruessmann et al. 2001, doi:10.1002/mrm.1241), from none.

    Args:
        image: complex, ``(b, 1, h, w)``, in units of the normalized image.
        samples: y, ``(b, coil, h, w)``, zero where there are none.
        coil_maps: S, of unit norm over the coils or zero; where they are zero, the image stays.
        mask: M, True is sampled, broadcastable.
        noise: standard deviation of the real and of the imaginary part of samples; of a batch, the largest counts; None
            for none.
        error: that of the image.
        n_iterations: at most.

    Returns:
        x, complex, ``(b, 1, h, w)``.

    Raises:
        ValueError: if ``error`` is not positive.
    """
    if not error > 0:
        raise ValueError(f"error must be positive, got {error}")
    operator = coil_operator(coil_maps, mask)
    damping = 0.0 if noise is None else float(noise.max() / error) ** 2
    return image + conjugate_gradient(operator, samples - operator(image), n_iterations, damping=damping)
