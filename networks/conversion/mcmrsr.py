"""McMRSR as its authors wrote it."""

from __future__ import annotations

from typing import Any

from ..nets import McMRSR
from .original import Original, Shapes, count

BLOCK = "layers.{}.residual_group.blocks.{}."


def _config(shapes: Shapes) -> dict[str, Any]:
    width, in_channels = shapes["conv_first.weight"][:2]
    n_groups = count(shapes, BLOCK.format("{}", 0) + "mlp.fc1.weight")
    table = "attn.relative_position_bias_table"
    return {
        "scale": 4 if "conv_third.weight" in shapes else 2,
        "width": width,
        "depths": [count(shapes, BLOCK.format(group, "{}") + "mlp.fc1.weight") for group in range(n_groups)],
        "n_heads": [shapes[BLOCK.format(group, 0) + table][1] for group in range(n_groups)],
        "mlp_ratio": shapes[BLOCK.format(0, 0) + "mlp.fc1.weight"][0] / width,
        "is_complex": in_channels == 2,
    }


def _names() -> dict[str, str]:
    names = {r"conv2d\.conv_L1": "low_stem.0"}
    for conv, layer in (("conv1", 0), ("conv2", 2)):
        names |= {rf"conv2d\.blk_L1\.{i}\.{conv}": f"low_stem.{i + 2}.body.{layer}" for i in range(2)}
        names |= {
            rf"MAB\.blk_x{2**level}\.(\d+)\.{conv}": rf"refinements.{level}.\1.body.{layer}" for level in range(3)
        }
    for theirs, ours in (("JRFAB", "aggregation"), ("JRFAB_same_scale", "join")):
        names |= {rf"MAB\.{theirs}\.conv_(down|up)_(a|b)": rf"{ours}.\1_\2.0"}
        names |= {rf"MAB\.{theirs}\.conv_cat": f"{ours}.join.0"}
    return names | {
        r"MAB\.SAB\.conv_shared": "adaptation.shared",
        r"MAB\.SAB\.conv_gamma": "adaptation.scale",
        r"MAB\.SAB\.conv_beta": "adaptation.shift",
        r"MAB\.conv_out": "head",
        "conv_first": "high_stem",
        "conv_second": r"down.0",
        "conv_third": r"down.1",
        r"patch_embed\.norm": "transformer.embed",
        r"layers\.(\d+)\.residual_group\.blocks\.(\d+)\.mlp\.fc(\d)": r"transformer.groups.\1.blocks.\2.mlp.linear\3",
        r"layers\.(\d+)\.residual_group": r"transformer.groups.\1",
        r"layers\.(\d+)\.conv": r"transformer.groups.\1.conv",
        "norm": "transformer.norm",
        "conv_after_RSTB": "transformer.conv",
    }


MCMRSR = Original(McMRSR, _config, _names(), unused=(r"layers\..*\.attn_mask",))
