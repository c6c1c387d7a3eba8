"""A QSMnet that corrects a classical solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..blocks import start_at_zero
from .qsm_unet import QSMUNet

MOST = 1.5  # of the share of a correction


class FAQSMRefiner(nn.Module):
    """Map a local field, a classical inversion of it and what is known of their errors to susceptibility, all in ppm.

    A compact :class:`QSMUNet` with folded attention at its bottom (Zhang et al. 2021, arXiv:2009.05576) sees four
    channels: the field; the classical map; the error of this map's field, brought back to its sources by the dipole
    (:func:`descent_of_field_error`, the data term of unrolled networks); and the noise of the field. A share of its
    output, which grows with the noise, is added to the classical map: where there is little noise, that map is nearly
    right. The last layer starts at zero: training starts at the error of the classical map. Voxel size and direction
    of B0 are known to the classical solver and to the error.

    Args:
        channels: width of each level, from the finest to the coarsest.
        kernel_size: odd number of voxels.
        attention: name of the block at the bottom, see :data:`mri_attention.networks.blocks.ATTENTION`.
        attention_options: further arguments of that block.
        field_scale: ppm, by which fields are divided; about the standard deviation of a brain's local field.
        susceptibility_scale: ppm, by which maps are divided and the correction is multiplied.
        noise_scale: ppm, by which errors are divided; the logarithm of the noise is zero there.
        share: of the correction that is added: the first number where the noise is ``noise_scale``, and the second
            more for each factor e of noise, from 0 to 1.5 (see docs/experiments/susceptibility_network.md).

    Raises:
        ValueError: if a scale is not positive; when called, for another number of channels than four.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 96),
        kernel_size: int = 3,
        attention: str = "folded",
        attention_options: Mapping[str, Any] | None = None,
        field_scale: float = 0.01,
        susceptibility_scale: float = 0.03,
        noise_scale: float = 0.001,
        share: tuple[float, float] = (0.70, 0.63),
    ) -> None:
        super().__init__()
        if not min(field_scale, susceptibility_scale, noise_scale) > 0:
            raise ValueError(f"scales must be positive, got {field_scale=}, {susceptibility_scale=}, {noise_scale=}")
        self.field_scale = field_scale
        self.susceptibility_scale = susceptibility_scale
        self.noise_scale = noise_scale
        self.share, self.share_by_level = share
        self.most = MOST
        self.unet = QSMUNet(4, 1, channels, kernel_size, attention, attention_options)
        start_at_zero(self.unet.head)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 4, x, y, z)`` to ``(b, 1, x, y, z)``, zero where the field is, outside of the brain.

        Args:
            x: field, classical inversion, error of its field, and standard deviation of the noise.
        """
        if x.shape[1] != 4:
            raise ValueError(f"input must have four channels, field, its inversion, error, noise, got {list(x.shape)}")
        field, classical, error, noise = x.split(1, 1)
        level = torch.where(noise > 0, (noise / self.noise_scale).clamp_min(1e-3).log(), 0)
        maps = [field / self.field_scale, classical / self.susceptibility_scale, error / self.noise_scale, level]
        correction: Tensor = self.unet(torch.cat(maps, 1)).to(classical.dtype) * self.susceptibility_scale
        share = (self.share + self.share_by_level * level).clamp(0.0, self.most)
        return torch.where(field != 0, classical + share * correction, 0)


class ClassicalSolution(nn.Module):
    """Return the second channel: where it is a classical inversion, this is evaluated like a network."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, c, x, y, z)`` to ``(b, 1, x, y, z)``."""
        return x[:, 1:2].clone()  # sliding windows weight it in place
