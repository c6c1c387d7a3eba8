"""The attention blocks that benchmarks compare, each in its best form, some also in their literal form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monai.networks.blocks import SABlock
from torch import Tensor, nn

from ...networks.blocks import ATTENTION, CrossScaleTransformer, LiteralFoldedAttention, build_attention

Build = Callable[[int], nn.Module]
WINDOW, TOP_K = 4, 16


@dataclass(frozen=True)
class AttentionCase:
    """One block.

    Attributes:
        name: in tables.
        build: makes it for a number of channels, for volumes.
        quadratic: how many affinities it holds, of those between all voxels; its memory grows with their square.
    """

    name: str
    build: Build
    quadratic: float = 0.0


class FlattenedSABlock(nn.Module):
    """MONAI's self-attention block with one head and fused attention, on features ``(b, c, *spatial)``."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.block = SABlock(in_channels, num_heads=1, use_flash_attention=True)

    def forward(self, x: Tensor) -> Tensor:
        """Attend over the voxels of ``x``."""
        attended: Tensor = self.block(x.flatten(2).mT.contiguous())
        return attended.mT.reshape(x.shape)


def attention_cases() -> list[AttentionCase]:
    """List the blocks: folded attention first, the registered ones, literal forms, MONAI's, and a convolution."""
    words = ["folded", *(name for name in ATTENTION.names if name not in ("folded", "none"))]
    cases = [AttentionCase(word, _builder(word)) for word in words]
    cases.insert(1, AttentionCase("folded (literal)", LiteralFoldedAttention))
    for word in ("self", "dual"):
        cases.append(AttentionCase(f"{word} (literal)", _builder(word, literal=True), quadratic=1.0))
    cases.append(AttentionCase("MONAI SABlock", FlattenedSABlock))
    cases.append(AttentionCase("Conv3d 3x3x3", lambda channels: nn.Conv3d(channels, channels, 3, padding=1)))
    return cases


def _builder(word: str, **options: object) -> Build:
    return lambda channels: build_attention(word, channels, 3, **options)


def cross_scale_cases() -> list[AttentionCase]:
    """List the streamed and the literal form of the x2 transformer of CFTN, and its variants, which are not exact."""
    share = 1 / (2**3 * 4**3)  # queries lie two voxels apart, keys four
    return [
        AttentionCase("cross-scale", _cross_scale(path="streamed")),
        AttentionCase("cross-scale (literal)", _cross_scale(path="literal"), share),
        AttentionCase(f"window of {WINDOW}", _cross_scale(path="streamed", window=WINDOW)),
        AttentionCase(f"top {TOP_K} keys", _cross_scale(path="streamed", top_k=TOP_K)),
        AttentionCase("transposed convolution 6x6x6", lambda channels: nn.ConvTranspose3d(channels, channels, 6, 2, 2)),
    ]


def _cross_scale(**options: object) -> Build:
    return lambda channels: CrossScaleTransformer(channels, **options)
