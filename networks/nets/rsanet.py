"""RSANet: the 3D U-Net with recurrent slice-wise attention at its bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .unet3d import UNet3D


class RSANet(UNet3D):
    """RSANet for segmentation: Zhang et al., MICCAI 2019 (arXiv:2002.12470).

    At the default widths it has 24,554,339 parameters, as the original has.

    Args:
        in_channels: number of input images.
        out_channels: number of classes.
        channels: width of each level, from the finest to the coarsest.
        attention_options: options of :class:`mri_attention.networks.blocks.RecurrentSliceAttention`.
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
        super().__init__(
            in_channels, out_channels, channels, "recurrent_slice", attention_options, dropout, norm_groups
        )
