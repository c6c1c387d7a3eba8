"""Weights of other implementations, for the networks of this package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Size, Tensor, nn

from .blocks import (
    AttentionGate,
    ChannelAttention,
    ChannelGramAttention,
    CrossScaleTransformer,
    PositionAttention,
    RecurrentSliceAttention,
    SelfAttention,
)
from .nets import SRCNN3D, ReCNN

Shapes = Mapping[str, Size]


@dataclass(frozen=True)
class Original:
    """How to read the weights of another implementation.

    Attributes:
        network: the class that takes them.
        config: infers that class's arguments from the shapes of the original's tensors.
        names: beginnings of the original's keys, as regular expressions that end before a dot, and what stands
            in their place here; the first that fits counts.
        left_out: the original's tensors that are not weights.
    """

    network: Callable[..., nn.Module]
    config: Callable[[Shapes], dict[str, Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConvertedWeights:
    """A network by its dotted path, its constructor's arguments, and its weights.

    MONAI's ``ConfigParser`` builds it from ``{"_target_": network, **config}``.
    """

    network: str
    config: dict[str, Any]
    state_dict: dict[str, Tensor]


def convert_state_dict(original: str, state_dict: Mapping[str, Any]) -> ConvertedWeights:
    """Convert weights of another implementation, and infer the network's arguments from their shapes.

    What shapes do not tell is taken as the original's default: ``mode`` of a non-local block with theta and phi
    is ``"embedded_gaussian"``, that of an attention gate ``"concatenation"``;
    cross-scale attention has CSNLN's options at x2; SRCNN3D and ReCNN get volumes that are interpolated already.

    Args:
        original: a word of ``ORIGINALS``.
        state_dict: the original's tensors by name, or a dict that holds them under ``state_dict``; a
            ``module.`` before all names is dropped.

    Raises:
        ValueError: if ``original`` is unknown, ``state_dict`` does not hold tensors by name, one of them is
            missing or unexpected, or has an unexpected shape.
    """
    if original not in ORIGINALS:
        raise ValueError(f"unknown original {original!r}, known are: {', '.join(ORIGINALS)}")
    entry = ORIGINALS[original]
    tensors = {name: tensor for name, tensor in _tensors(state_dict).items() if name not in entry.left_out}
    config = _infer_config(original, {name: tensor.shape for name, tensor in tensors.items()})
    with torch.device("meta"):
        expected = entry.network(**config).state_dict()
    renamed = {name: _rename(name, entry.names) for name in tensors}
    _compare_names(original, renamed, expected)
    state = {renamed[name]: _fit(tensor, expected[renamed[name]], name) for name, tensor in tensors.items()}
    for name in expected.keys() - state.keys():
        state[name] = torch.zeros((), dtype=torch.long)
    folder = entry.network.__module__.rpartition(".")[0]
    return ConvertedWeights(f"{folder}.{entry.network.__name__}", config, {name: state[name] for name in expected})


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


def _cross_scale(shapes: Shapes) -> dict[str, Any]:
    width, in_channels, *kernel = shapes["conv_match_1.0.weight"]
    fixed = {"downsampling": "linear", "activation": "prelu", "scale": 2, "stride": 1, "overlap": 6.0}
    sizes = {"in_channels": in_channels, "spatial_dims": len(kernel), "inter_channels": width}
    return sizes | fixed | {"logit_scale": 10.0, "normalize_keys": True}


def _srcnn3d(shapes: Shapes) -> dict[str, Any]:
    layers = [shapes[f"conv{number}.weight"] for number in (1, 2, 3)]
    return {"scale": 1, "channels": [layer[0] for layer in layers[:-1]], "kernel_sizes": [layer[2] for layer in layers]}


def _recnn(shapes: Shapes) -> dict[str, Any]:
    width, _, *kernel = shapes["conv1.weight"]
    if kernel != [3, 3, 3]:
        raise ValueError(f"expected kernels of 3x3x3, got {kernel}")
    return {"scale": 1, "n_layers": sum(name.endswith(".weight") for name in shapes), "channels": width}


ORIGINALS = {
    "rsa-block": Original(RecurrentSliceAttention, _rsa_block, {r"(theta|phi|g)_conv": r"\1", "betas": "gamma"}),
    "da-pam": Original(
        PositionAttention, _position_attention, {"query_conv": "theta", "key_conv": "phi", "value_conv": "g"}
    ),
    "da-cam": Original(ChannelGramAttention, lambda _: {}),
    "attention-gate": Original(AttentionGate, _attention_gate, {"W": "output"}),
    "non-local": Original(SelfAttention, _non_local, {r"(phi|g)\.0": r"\1", "W": "output"}),
    "channel-attention": Original(ChannelAttention, _channel_attention, {"conv_du": "fc"}),
    "cross-scale": Original(
        CrossScaleTransformer,
        _cross_scale,
        {"conv_match_1": "query", "conv_match_2": "key", "conv_assembly": "value"},
        ("escape_NaN",),
    ),
    "srcnn3d": Original(SRCNN3D, _srcnn3d, {r"(conv\d+)": r"layers.\1"}),
    "recnn": Original(ReCNN, _recnn, {r"(conv\d+)": r"layers.\1"}),
}
"""Implementations whose weights can be converted, by the word that names them on the command line."""


def _tensors(state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    content = state_dict.get("state_dict", state_dict) if isinstance(state_dict, Mapping) else state_dict
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("state_dict must hold tensors by name, on its own or under 'state_dict'")
    is_parallel = all(str(name).startswith("module.") for name in content)
    return {str(name).removeprefix("module." if is_parallel else ""): value for name, value in content.items()}


def _infer_config(original: str, shapes: Shapes) -> dict[str, Any]:
    try:
        return ORIGINALS[original].config(shapes)
    except KeyError as error:
        raise ValueError(f"no weights of {original}: missing {error.args[0]}") from error
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"no weights of {original}: tensors of unexpected shapes ({error})") from error


def _rename(name: str, names: Mapping[str, str]) -> str:
    for beginning, ours in names.items():
        renamed, n_found = re.subn(rf"^{beginning}(?=\.)", ours, name)
        if n_found:
            return renamed
    return name


def _compare_names(original: str, renamed: Mapping[str, str], expected: Mapping[str, Tensor]) -> None:
    """Name what is too much or too few; counts of batches, which old versions of torch did not save, may miss."""
    taken = list(renamed.values())
    unexpected = [name for name, ours in renamed.items() if ours not in expected or taken.count(ours) > 1]
    missing = expected.keys() - set(renamed.values())
    missing = {name for name in missing if not name.endswith("num_batches_tracked")}
    problems = []
    if unexpected:
        problems.append(f"unexpected {', '.join(unexpected)}")
    if missing:
        problems.append(f"missing what is named here {', '.join(sorted(missing))}")
    if problems:
        raise ValueError(f"no weights of {original}: {'; '.join(problems)}")


def _fit(tensor: Tensor, expected: Tensor, name: str) -> Tensor:
    """Give ``tensor`` the expected dtype and, where it differs by axes of length one only, the expected shape."""
    if tensor.squeeze().shape != expected.squeeze().shape:
        raise ValueError(f"{name} has the shape {tuple(tensor.shape)}, expected is {tuple(expected.shape)}")
    return tensor.detach().reshape(expected.shape).to(expected.dtype)
