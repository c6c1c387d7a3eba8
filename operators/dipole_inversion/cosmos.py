"""Susceptibility from fields that were measured at several orientations to B0."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import SPATIAL, dipole_kernel, padded_shape


def cosmos(
    fields: Tensor,
    voxel_size: Vector,
    b0_directions: Sequence[Vector] | Tensor,
    mask: Tensor | None = None,
    floor: float = 1e-3,
    padding: float = 1.0,
) -> Tensor:
    """Solve for the one map that made all fields: ``F chi = sum_i D_i F b_i / sum_i D_i^2`` (COSMOS).

    Liu et al. 2009, Magn Reson Med 61:196, doi:10.1002/mrm.21828: least squares, solved in closed form as the fields
    are weighted equally. With three or more directions well apart only zero frequency is undetermined, and is zero.

    Args:
        fields: ppm, ``(b, n_directions, x, y, z)``, all in the frame of the head.
        voxel_size: mm.
        b0_directions: of each field, in voxel axes, ``(n_directions, 3)``.
        mask: outside of it the map is set to zero, ``(b, 1, x, y, z)``.
        floor: where the sum of squares is below it the map's spectrum is zero.
        padding: factor by which the grid grows by zeros.

    Returns:
        Susceptibility in ppm, ``(b, 1, x, y, z)``.

    Raises:
        ValueError: if directions and fields differ in number.
    """
    directions = torch.as_tensor(b0_directions, dtype=fields.dtype, device=fields.device)
    if len(directions) != fields.shape[1]:
        raise ValueError(f"every field needs a direction, got {fields.shape[1]} fields, {len(directions)} directions")
    shape, padded = fields.shape[2:], padded_shape(fields.shape[2:], padding)
    kernels = dipole_kernel(padded, voxel_size, directions, dtype=fields.dtype, device=fields.device)[:, 0]
    kernels = kernels[..., : padded[-1] // 2 + 1]
    power = kernels.square().sum(0)
    inverse = torch.where(power < floor, 0, 1 / power)
    spectrum = (torch.fft.rfftn(fields, s=padded, dim=SPATIAL) * kernels).sum(1, keepdim=True) * inverse
    chi = torch.fft.irfftn(spectrum, s=padded, dim=SPATIAL)[..., : shape[0], : shape[1], : shape[2]]
    return chi if mask is None else chi * mask
