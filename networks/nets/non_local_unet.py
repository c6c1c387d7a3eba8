"""The 3D U-Net with self-attention between all voxels at its bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .unet3d import UNet3D


class NonLocalUNet(UNet3D):
    """FA-Net's backbone with the non-local block of Wang et al., CVPR 2018 (arXiv:1711.07971).

    Args:
        in_channels: number of input images.
        out_channels: number of classes.
        channels: width of each level, from the finest to the coarsest.
        attention_options: options of :class:`mri_attention.networks.blocks.SelfAttention`.
        dropout: probability that a feature map of the first convolution is dropped.
        norm_groups: number of groups of each normalization.

    Raises:
        ValueError: if ``channels`` is empty or ``norm_groups`` does not divide each of them.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        attention_options: Mapping[str, Any] | None = None,
        dropout: float = 0.2,
        norm_groups: int = 8,
    ) -> None:
        super().__init__(in_channels, out_channels, channels, "self", attention_options, dropout, norm_groups)
