"""Networks and blocks of other implementations that CFTN builds on or is compared with."""

from __future__ import annotations

from typing import Any

from ..blocks import CrossScaleTransformer
from ..nets import SRCNN3D, ReCNN
from .original import Original, Shapes


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


BRAIN_SUPER_RESOLUTION_ORIGINALS = {
    "cross-scale": Original(
        CrossScaleTransformer,
        _cross_scale,
        {"conv_match_1": "query", "conv_match_2": "key", "conv_assembly": "value"},
        unused=("escape_NaN",),
    ),
    "srcnn3d": Original(SRCNN3D, _srcnn3d, {r"(conv\d+)": r"layers.\1"}),
    "recnn": Original(ReCNN, _recnn, {r"(conv\d+)": r"layers.\1"}),
}
