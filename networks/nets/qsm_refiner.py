"""A QSMnet that corrects a classical solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..blocks import start_at_zero
from .qsm_unet import QSMUNet


class FAQSMRefiner(nn.Module):
    """Map a local field and a classical inversion of it to susceptibility, all in ppm.

    A compact :class:`QSMUNet` with folded attention at its bottom (Zhang et al. 2021, arXiv:2009.05576) sees both maps,
    and its output is added to the classical one. The last layer starts at zero, so that training starts at the
    classical solution's error. Voxel size and direction of B0 are the classical solver's to respect.

    Args:
        channels: width of each level, from the finest to the coarsest.
        kernel_size: odd number of voxels.
        attention: name of the block at the bottom, see :data:`mri_attention.networks.blocks.ATTENTION`.
        attention_options: further arguments of that block.
        field_scale: ppm, by which fields are divided; about the standard deviation of a brain's local field.
        susceptibility_scale: ppm, by which maps are divided and the correction is multiplied.

    Raises:
        ValueError: if a scale is not positive; when called, for another number of channels than two.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 96),
        kernel_size: int = 3,
        attention: str = "folded",
        attention_options: Mapping[str, Any] | None = None,
        field_scale: float = 0.01,
        susceptibility_scale: float = 0.03,
    ) -> None:
        super().__init__()
        if not (field_scale > 0 and susceptibility_scale > 0):
            raise ValueError(f"scales must be positive, got {field_scale=}, {susceptibility_scale=}")
        self.field_scale = field_scale
        self.susceptibility_scale = susceptibility_scale
        self.unet = QSMUNet(2, 1, channels, kernel_size, attention, attention_options)
        start_at_zero(self.unet.head)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 2, x, y, z)``, field and classical inversion, zero outside of the brain, to ``(b, 1, x, y, z)``."""
        if x.shape[1] != 2:
            raise ValueError(f"input must have two channels, field and its inversion, got {tuple(x.shape)}")
        field, classical = x.split(1, 1)
        correction: Tensor = self.unet(torch.cat([field / self.field_scale, classical / self.susceptibility_scale], 1))
        return (classical + correction.to(classical.dtype) * self.susceptibility_scale) * (field != 0)


class ClassicalSolution(nn.Module):
    """Return the last channel: where it is a classical inversion, this is evaluated like a network."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, c, x, y, z)`` to ``(b, 1, x, y, z)``."""
        return x[:, -1:].clone()  # sliding windows weight it in place
