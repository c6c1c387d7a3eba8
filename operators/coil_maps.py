"""Sensitivities of receive coils, from the center of k-space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .fourier import AXES, kspace_to_image

SHARE_OF_PEAK = 0.02  # of the largest root sum of squares; below, there is air


def low_resolution_coil_maps(
    kspace: Tensor, axes: Sequence[int] = AXES, coil_axis: int = 1, share: float = 0.1
) -> Tensor:
    """Return coil images of low resolution divided by their root sum of squares, zero in air.

    The estimate of Pruessmann et al. 1999 (SENSE, doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S)
    without a body coil, from the data themselves: k-space is weighted by a Gaussian whose standard deviation is
    ``share / 2`` of its size, so that what is sampled densely counts. They are of unit norm over the coils.

    Args:
        kspace: masked, complex, centered.
        axes: of k-space.
        coil_axis: of the coils.
        share: of k-space within two standard deviations of the window.
    """
    window = kspace.real.new_ones(())
    for axis in axes:
        n = kspace.shape[axis]
        distance = (torch.arange(n, device=kspace.device) - n // 2) / (share * n / 2)
        weights = torch.exp(-distance.square() / 2)
        window = window * weights.reshape([n if i == axis % kspace.ndim else 1 for i in range(kspace.ndim)])
    images = kspace_to_image(kspace * window, axes)
    norm = torch.linalg.vector_norm(images, dim=coil_axis, keepdim=True)
    return torch.where(norm > SHARE_OF_PEAK * norm.max(), images / norm.clamp_min(1e-30), 0)
