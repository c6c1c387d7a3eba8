"""Reconstruction networks of other implementations."""

from __future__ import annotations

from typing import Any

from ..nets import DRDN, DuDoRNet, MANet
from .original import Original, Shapes, count


def _manet(shapes: Shapes) -> dict[str, Any]:
    width = shapes["UNet_k.conv1T1.weight"][0]
    reduction = width // shapes["UNet_k.atten_depth_channel_0.fc1.weight"][0]
    return {"width": width, "attention_options": {"reduction": reduction}, "transform": "released"}


def _manet_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for theirs, ours in ((r"UNet_k\.", "kspace"), (r"UNet_img\.", "image")):
        for contrast, stream in (("T1", f"{ours}.auxiliary"), ("T2", f"{ours}.target")):
            names |= {theirs + key: f"{stream}.{name}" for key, name in _stream_names(contrast).items()}
        for way, fusions in (("", "down_fusions"), ("U_", "up_fusions")):
            channel, spatial = (rf"{theirs}atten_depth_{part}_{way}(\d)" for part in ("channel", "spatial"))
            names |= {rf"{channel}\.fc{i + 1}": rf"{ours}.{fusions}.\1.channel.{2 * i}" for i in range(2)}
            names |= {rf"{spatial}\.conv1": rf"{ours}.{fusions}.\1.spatial"}
    return names


def _stream_names(contrast: str) -> dict[str, str]:
    """Return the names in the stream of one contrast; levels of the way up count down there."""
    names = {f"conv1{contrast}": "stem", f"outconv{contrast}": "head"}
    blocks = {f"bottom_{contrast}": "bottom"}
    for level in range(4):
        number = f"{4 - level}_{contrast}"
        blocks |= {f"d{contrast}_{level + 1}": f"encoder.{level}", f"u{number}": f"decoder.{level}"}
        names |= {
            rf"up{number}\.upsample_layer": f"up.{level}.transposed",
            rf"up{number}\.conv": f"up.{level}.conv",
            rf"up{number}\.bn": f"up.{level}.norm",
        }
    for block, place in blocks.items():
        names |= {rf"{block}\.conv_list": f"{place}.convs", rf"{block}\.bn_list": f"{place}.norms"}
    return names


def _drdn(shapes: Shapes, beginning: str = "") -> dict[str, Any]:
    width, in_channels = shapes[f"{beginning}SFENet1.weight"][:2]
    n_convs = count(shapes, beginning + "SEDRDBs.0.convs.{}.conv.0.weight")
    return {
        "in_channels": in_channels,
        "out_channels": shapes[f"{beginning}UPNet.1.weight"][0],
        "width": width,
        "n_blocks": count(shapes, beginning + "SEDRDBs.{}.LFF.weight"),
        "growth": shapes[f"{beginning}UPNet.0.weight"][0],
        "dilations": [1, 2, 3, 3] if n_convs == 4 else [1, 2, 4, 4][:n_convs],
    }


def _dudornet(shapes: Shapes) -> dict[str, Any]:
    config = _drdn(shapes, "net_G_I.")
    sizes = {name: config[name] for name in ("width", "n_blocks", "growth", "dilations")}
    return {**sizes, "is_guided": config["in_channels"] == 4, "norm": "backward"}


def _drdn_names(theirs: str = "", ours: str = "") -> dict[str, str]:
    block = rf"{theirs}SEDRDBs\.(\d+)"
    return {
        f"{theirs}SFENet1": f"{ours}stem",
        f"{theirs}SFENet2": f"{ours}entry",
        rf"{block}\.convs\.(\d+)\.conv\.0": rf"{ours}blocks.\1.convs.\2",
        rf"{block}\.LFF": rf"{ours}blocks.\1.fusion",
        rf"{block}\.SE": rf"{ours}blocks.\1.attention",
        f"{theirs}GFF": f"{ours}fusion",
        f"{theirs}UPNet": f"{ours}head",
    }


RECONSTRUCTION_ORIGINALS = {
    "manet": Original(MANet, _manet, _manet_names(), unused=(r"UNet_(k|img)\.convdem\w+",)),
    "dudornet": Original(
        DuDoRNet,
        _dudornet,
        _drdn_names(r"net_G_I\.", "image.") | _drdn_names(r"net_G_K\.", "kspace."),
        parts=("net_G_I", "net_G_K"),
    ),
    "drdn": Original(DRDN, _drdn, _drdn_names()),
}
