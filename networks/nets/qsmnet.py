"""QSMnet, FA-QSMnet, and what physics can add to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...operators.b0_direction import Vector
from ...operators.dipole import dipole_kernel
from ..blocks import DipoleDataConsistency
from .dipole_solvers import ALONG_Z, ISOTROPIC, DipoleSolver
from .qsm_unet import QSMUNet


class QSMNet(nn.Module):
    """Map a local field to susceptibility, both in ppm, by :class:`QSMUNet`.

    As published (Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030) it has 99,453,985
    parameters and knows neither voxel size nor direction of B0; these are for its two options. The published code
    normalizes by means and standard deviations of the training data. Here both maps are divided by constants only: the
    mean of a map is not in its field, and that of a local field is about zero.

    Args:
        channels: width of each level, from the finest to the coarsest.
        kernel_size: odd number of voxels.
        attention: name of the block at the bottom, see :data:`mri_attention.networks.blocks.ATTENTION`.
        attention_options: further arguments of that block.
        classical_channel: a method of :class:`DipoleSolver` whose map becomes the second input channel, so that the
            U-Net learns where that map is wrong, for any voxel size and direction. None for the field alone.
        data_consistency: first weight of a :class:`DipoleDataConsistency` after the U-Net, which keeps what the field
            tells well. None for none. A volume must then hold all sources of its field, as a brain does and a patch
            does not.
        field_scale: ppm, by which fields are divided; about the standard deviation of a brain's local field.
        susceptibility_scale: ppm, by which the output is multiplied; about the standard deviation of a brain's map.

    Raises:
        ValueError: if a scale is not positive, and as the parts do.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        kernel_size: int = 5,
        attention: str = "none",
        attention_options: Mapping[str, Any] | None = None,
        classical_channel: str | None = None,
        data_consistency: float | None = None,
        field_scale: float = 0.01,
        susceptibility_scale: float = 0.03,
    ) -> None:
        super().__init__()
        if not (field_scale > 0 and susceptibility_scale > 0):
            raise ValueError(f"scales must be positive, got {field_scale=}, {susceptibility_scale=}")
        self.field_scale = field_scale
        self.susceptibility_scale = susceptibility_scale
        self.classical = None if classical_channel is None else DipoleSolver(classical_channel)
        in_channels = 1 if self.classical is None else 2
        self.unet = QSMUNet(in_channels, 1, channels, kernel_size, attention, attention_options)
        self.consistency = None if data_consistency is None else DipoleDataConsistency(data_consistency)

    def forward(
        self,
        field: Tensor,
        voxel_size: Vector | None = None,
        b0_direction: Vector | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Map a local field (ppm) ``(b, 1, x, y, z)`` of any size to susceptibility (ppm) of the same shape.

        Args:
            field: zero outside of the brain.
            voxel_size: mm, ``(3,)`` or ``(b, 3)``; 1 mm along each axis if it is None.
            b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``; the last axis if it is None.
            mask: of the brain, of the shape of ``field``; the map is zero outside.
        """
        inputs = [field / self.field_scale]
        if self.classical is not None:
            inputs.append(self.classical(field, voxel_size, b0_direction, mask) / self.susceptibility_scale)
        susceptibility: Tensor = self.unet(torch.cat(inputs, 1)) * self.susceptibility_scale
        if self.consistency is not None:
            susceptibility = susceptibility.to(field.dtype)  # FFTs want no half precision
            sizes = ISOTROPIC if voxel_size is None else voxel_size
            direction = ALONG_Z if b0_direction is None else b0_direction
            kernel = dipole_kernel(field.shape[2:], sizes, direction, dtype=field.dtype, device=field.device)
            susceptibility = self.consistency(susceptibility, field, kernel, mask)
        return susceptibility if mask is None else susceptibility * mask


class FAQSMNet(QSMNet):
    """QSMnet with folded attention at its bottom: Zhang et al., AAAI 2021 (arXiv:2009.05576).

    Args:
        attention_options: options of :class:`mri_attention.networks.blocks.FoldedAttention`.
        options: further arguments of :class:`QSMNet`.
    """

    def __init__(self, attention_options: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(attention="folded", attention_options=attention_options, **options)
