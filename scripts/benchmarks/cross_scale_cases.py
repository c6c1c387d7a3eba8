"""The forms of cross-scale attention that the benchmark compares, and the same work by a transposed convolution."""

from __future__ import annotations

from torch import nn

from ...networks.blocks import CrossScaleTransformer
from .attention_cases import AttentionCase, Build

WINDOW, TOP_K = 4, 16


def cross_scale_cases() -> list[AttentionCase]:
    """List the streamed and the literal form of the x2 transformer of CFTN, and its variants, which are not exact."""
    share = 1 / (2**3 * 4**3)  # queries lie two voxels apart, keys four
    return [
        AttentionCase("cross-scale", _builder(path="streamed")),
        AttentionCase("cross-scale (literal)", _builder(path="literal"), share),
        AttentionCase(f"window of {WINDOW}", _builder(path="streamed", window=WINDOW)),
        AttentionCase(f"top {TOP_K} keys", _builder(path="streamed", top_k=TOP_K)),
        AttentionCase("transposed convolution 6x6x6", lambda channels: nn.ConvTranspose3d(channels, channels, 6, 2, 2)),
    ]


def _builder(**options: object) -> Build:
    return lambda channels: CrossScaleTransformer(channels, **options)
