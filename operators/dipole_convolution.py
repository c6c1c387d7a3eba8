"""The field that magnetic susceptibility makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from .b0_direction import Vector
from .cuboid_dipole import dipole_kernel_from_image_space
from .dipole import dipole_kernel, filter_kspace, padded_shape
from .linear_operator import LinearOperator

Kernel = Literal["kspace", "image"]


class DipoleConvolution(LinearOperator):
    """Turn susceptibility (ppm) into the relative field shift it makes (ppm): ``b = F^-1 D F chi``.

    The field is that of the map alone, with nothing around it. It is self-adjoint.

    Args:
        shape: voxels along each axis of the maps.
        voxel_size: mm, see :func:`dipole_kernel`.
        b0_direction: in voxel axes, see :func:`dipole_kernel`.
        padding: factor by which the grid grows by zeros, so that a map does not meet its own periodic images; 1 for
            a periodic map.
        kernel: ``"kspace"`` for :func:`dipole_kernel`, ``"image"`` for :func:`dipole_kernel_from_image_space`.
        dtype: of the kernel.
        device: of the kernel.

    Raises:
        ValueError: if ``padding`` is below 1 or ``kernel`` unknown, and as the kernels do.
    """

    def __init__(
        self,
        shape: Sequence[int],
        voxel_size: Vector = (1.0, 1.0, 1.0),
        b0_direction: Vector = (0.0, 0.0, 1.0),
        padding: float = 2.0,
        kernel: Kernel = "kspace",
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        if kernel not in ("kspace", "image"):
            raise ValueError(f"kernel must be 'kspace' or 'image', got {kernel!r}")
        make = dipole_kernel if kernel == "kspace" else dipole_kernel_from_image_space
        self.kernel = make(padded_shape(shape, padding), voxel_size, b0_direction, dtype=dtype, device=device)

    def __call__(self, susceptibility: Tensor, /) -> Tensor:
        """Map susceptibility ``(b, c, x, y, z)``, real, to the field of the same shape."""
        return filter_kspace(susceptibility, self.kernel)

    def adjoint(self, field: Tensor, /) -> Tensor:
        """Map a field ``(b, c, x, y, z)`` by the same convolution."""
        return filter_kspace(field, self.kernel)
