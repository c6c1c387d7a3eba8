"""Attention blocks of other implementations."""

from __future__ import annotations

from typing import Any

from ..blocks import (
    AttentionGate,
    ChannelAttention,
    ChannelGramAttention,
    PositionAttention,
    RecurrentSliceAttention,
    SelfAttention,
)
from .original import Original, Shapes


def _rsa_block(shapes: Shapes) -> dict[str, Any]:
    # its tensors are (b, c, d, h, w), and its steps go along h, w, d
    return {"in_channels": shapes["theta_conv.weight"][1], "spatial_dims": 3, "order": [1, 2, 0]}


def _position_attention(shapes: Shapes) -> dict[str, Any]:
    width, in_channels, *kernel = shapes["query_conv.weight"]
    return {"in_channels": in_channels, "spatial_dims": len(kernel), "reduction": in_channels // width}


def _attention_gate(shapes: Shapes) -> dict[str, Any]:
    width, in_channels, *strides = shapes["theta.weight"]
    return {
        "in_channels": in_channels,
        "context_channels": shapes["phi.weight"][1],
        "spatial_dims": len(strides),
        "inter_channels": width,
        "sub_sample": strides,
    }


def _non_local(shapes: Shapes) -> dict[str, Any]:
    # where phi and g end with max pooling, g becomes a sequence; the pooling spares the first of three axes
    is_pooled = "g.0.weight" in shapes
    width, in_channels, *kernel = shapes["g.0.weight" if is_pooled else "g.weight"]
    return {
        "in_channels": in_channels,
        "spatial_dims": len(kernel),
        "mode": "embedded_gaussian" if "theta.weight" in shapes else "gaussian",
        "inter_channels": width,
        "sub_sample": [1, 2, 2][-len(kernel) :] if is_pooled else None,
        "batch_norm": "W.1.weight" in shapes,
    }


def _channel_attention(shapes: Shapes) -> dict[str, Any]:
    width, in_channels, *kernel = shapes["conv_du.0.weight"]
    return {"in_channels": in_channels, "spatial_dims": len(kernel), "reduction": in_channels // width}


ATTENTION_ORIGINALS = {
    "rsa-block": Original(RecurrentSliceAttention, _rsa_block, {r"(theta|phi|g)_conv": r"\1", "betas": "gamma"}),
    "da-pam": Original(
        PositionAttention, _position_attention, {"query_conv": "theta", "key_conv": "phi", "value_conv": "g"}
    ),
    "da-cam": Original(ChannelGramAttention, lambda _: {}),
    "attention-gate": Original(AttentionGate, _attention_gate, {"W": "output"}),
    "non-local": Original(SelfAttention, _non_local, {r"(phi|g)\.0": r"\1", "W": "output"}),
    "channel-attention": Original(ChannelAttention, _channel_attention, {"conv_du": "fc"}),
}
