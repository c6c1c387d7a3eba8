"""Attention blocks by name, for every network that has a slot for one."""

from __future__ import annotations

from typing import Any

from monai.utils.component_store import ComponentStore
from torch import nn

from .folded_attention import FoldedAttention

# Each is called as block(in_channels, spatial_dims, **options).
ATTENTION = ComponentStore("ATTENTION", "attention blocks: features in, features of the same shape out")
ATTENTION.add("none", "no attention: the features as they are", nn.Identity)
ATTENTION.add("folded", "folded attention (Zhang et al. 2021)", FoldedAttention)


def build_attention(name: str, in_channels: int, spatial_dims: int, **options: Any) -> nn.Module:
    """Build the attention block that is registered as ``name``.

    Args:
        name: a word of ``ATTENTION.names``.
        in_channels: number of channels of input and output.
        spatial_dims: 2 or 3.
        options: further arguments of the block.

    Raises:
        ValueError: if no block has this name.
    """
    if name not in ATTENTION:
        raise ValueError(f"unknown attention {name!r}, known are: {', '.join(ATTENTION.names)}")
    block: nn.Module = ATTENTION[name](in_channels, spatial_dims, **options)
    return block
