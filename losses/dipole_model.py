"""Loss of a susceptibility map by the field that it makes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.modules.loss import _Loss

from ..operators.b0_direction import Vector
from ..operators.dipole_convolution import DipoleConvolution


class ModelLoss(_Loss):
    """Mean of ``|D chi - b|`` over the mask, in ppm: the model loss of QSMnet.

    Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030. D is right for any voxel size and
    direction, where the published code multiplies frequencies by the voxel size, which is right for cubes only. A patch
    is taken as periodic as there, so that sources outside of it leave a rest that no map can remove; with the field of
    the true map for b (``field=None`` in :class:`QSMLoss`) there is none.

    Args:
        padding: factor by which the grid grows by zeros; 1 for periodic patches.
    """

    def __init__(self, padding: float = 1.0) -> None:
        super().__init__()
        self.padding = padding

    def forward(
        self,
        susceptibility: Tensor,
        field: Tensor,
        voxel_size: Vector = (1.0, 1.0, 1.0),
        b0_direction: Vector = (0.0, 0.0, 1.0),
        mask: Tensor | None = None,
    ) -> Tensor:
        """Compare the field of a map with a measured one.

        Args:
            susceptibility: ppm, ``(b, 1, x, y, z)``.
            field: ppm, of the same shape.
            voxel_size: mm, ``(3,)`` or ``(b, 3)``.
            b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
            mask: where the fields are compared, of the same shape; everywhere if it is None.
        """
        error = (self.field_of(susceptibility, voxel_size, b0_direction) - field).abs()
        if mask is None:
            return error.mean()
        return (error * mask).sum() / mask.sum().clamp(min=1)

    def field_of(self, susceptibility: Tensor, voxel_size: Vector, b0_direction: Vector) -> Tensor:
        """Return the field (ppm) of a map, in float32 under mixed precision."""
        susceptibility = susceptibility.to(torch.promote_types(susceptibility.dtype, torch.float32))
        shape, dtype, device = susceptibility.shape[-3:], susceptibility.dtype, susceptibility.device
        convolve = DipoleConvolution(shape, voxel_size, b0_direction, self.padding, dtype=dtype, device=device)
        return convolve(susceptibility)
