"""Attention blocks by name, for every network that has a slot for one."""

from __future__ import annotations

from typing import Any

from monai.utils.component_store import ComponentStore
from torch import nn

from .channel_attention import ChannelAttention
from .channel_spatial_attention import ChannelSpatialAttention
from .dual_attention import DualAttention
from .folded_attention import FoldedAttention
from .recurrent_slice_attention import RecurrentSliceAttention
from .self_attention import SelfAttention

# Each is called as block(in_channels, spatial_dims, **options).
ATTENTION = ComponentStore("ATTENTION", "attention blocks: features in, features of the same shape out")
ATTENTION.add("none", "no attention: the features as they are", nn.Identity)
ATTENTION.add("folded", "folded attention (Zhang et al. 2021)", FoldedAttention)
ATTENTION.add("self", "non-local self-attention (Wang et al. 2018)", SelfAttention)
ATTENTION.add("dual", "position and channel attention (Fu et al. 2019)", DualAttention)
ATTENTION.add("recurrent_slice", "recurrent slice-wise attention (Zhang et al. 2019)", RecurrentSliceAttention)
ATTENTION.add("squeeze_excitation", "channel attention (Hu et al. 2018)", ChannelAttention)
ATTENTION.add("channel_spatial", "channel, then spatial attention (Woo et al. 2018)", ChannelSpatialAttention)


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
    return ATTENTION[name](in_channels, spatial_dims, **options)
