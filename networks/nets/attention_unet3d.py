"""What the 3D U-Nets with one attention block at their bottom share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .unet3d import UNet3D


class AttentionUNet3D(UNet3D):
    """A :class:`UNet3D` whose block at the bottom goes with its class: base of the networks that have a name.

    Args:
        in_channels: number of input images.
        out_channels: number of classes.
        channels: width of each level, from the finest to the coarsest.
        attention_options: options of the block.
        dropout: probability that a feature map of the first convolution is dropped.
        norm_groups: number of groups of each normalization.

    Attributes:
        block: its name in :data:`mri_attention.networks.blocks.ATTENTION`.

    Raises:
        ValueError: if ``channels`` is empty or ``norm_groups`` does not divide each of them.
    """

    block: ClassVar[str]

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        attention_options: Mapping[str, Any] | None = None,
        dropout: float = 0.2,
        norm_groups: int = 8,
    ) -> None:
        super().__init__(in_channels, out_channels, channels, self.block, attention_options, dropout, norm_groups)
