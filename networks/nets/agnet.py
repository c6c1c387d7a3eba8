"""AG-Net: the 3D U-Net with attention gates at its skip connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

from torch import Tensor, nn

from ..blocks import AttentionGate, GroupNorm3d, MultiAttentionGate
from .unet3d import UNet3D, join


class AGNet(UNet3D):
    """FA-Net's backbone with the attention gates of Oktay et al., MIDL 2018 (arXiv:1804.03999).

    Every skip connection but the finest is gated: three at five levels. There are the two ways of the authors'
    code. In both, the first gating signal is a 1x1x1 convolution of the features at the bottom, with
    normalization and ReLU.

    - ``"grid"``: that signal, as wide as the second coarsest level, opens every gate.
    - ``"plain"``: each level has a pair of gates, opened by the decoder's features of the next coarser level.

    It departs from that code in the backbone, whose group normalization it shares for the gating signal, and in
    having no deep supervision.

    Args:
        in_channels: number of input images.
        out_channels: number of classes.
        channels: width of each level, from the finest to the coarsest; at least three.
        attention_options: options of :class:`mri_attention.networks.blocks.AttentionGate`; ``inter_channels`` is
            the width of the level by default.
        dropout: probability that a feature map of the first convolution is dropped.
        norm_groups: number of groups of each normalization.
        gating: one of the two ways.

    Raises:
        ValueError: if there are fewer than three ``channels``, ``norm_groups`` does not divide each of them, or
            ``gating`` is unknown.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        attention_options: Mapping[str, Any] | None = None,
        dropout: float = 0.2,
        norm_groups: int = 8,
        gating: Literal["grid", "plain"] = "grid",
    ) -> None:
        super().__init__(in_channels, out_channels, channels, dropout=dropout, norm_groups=norm_groups)
        if len(channels) < 3:
            raise ValueError(f"channels must have at least three levels, got {channels}")
        if gating not in ("grid", "plain"):
            raise ValueError(f'gating must be "grid" or "plain", got {gating!r}')
        block, contexts = {
            "grid": (AttentionGate, [channels[-2] for _ in channels[1:-1]]),
            "plain": (MultiAttentionGate, list(channels[:1:-1])),
        }[gating]
        self.signal = nn.Sequential(
            nn.Conv3d(channels[-1], contexts[0], 1), GroupNorm3d(norm_groups, contexts[0]), nn.ReLU(inplace=True)
        )
        self.gates = nn.ModuleList(
            block(width, context, **({"inter_channels": width} | dict(attention_options or {})))
            for width, context in zip(channels[-2:0:-1], contexts, strict=True)
        )
        self.gating = gating

    def _decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        context = self.signal(x)
        for up, decode, gate in zip_longest(self.up, self.decoder, self.gates):
            skip = skips.pop()
            x = decode(join(up(x), skip if gate is None else gate(skip, context)))
            context = x if self.gating == "plain" else context
        return x
