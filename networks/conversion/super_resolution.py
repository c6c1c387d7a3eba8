"""Super-resolution networks of other implementations."""

from __future__ import annotations

from typing import Any

from ..nets import EDSR, MINet, SANet
from .mcmrsr import MCMRSR
from .original import Original, Shapes, count


def _edsr(shapes: Shapes) -> dict[str, Any]:
    width, in_channels = shapes["head.0.weight"][:2]
    return {
        "scale": _scale(shapes, width),
        "in_channels": in_channels,
        "n_blocks": count(shapes, "body.{}.body.0.weight"),
        "width": width,
        "residual_scale": 1.0 if width == 64 else 0.1,
    }


def _sanet(shapes: Shapes) -> dict[str, Any]:
    return {
        **_branches(shapes),
        "n_stages": count(shapes, "Seatts.{}.reduce.weight"),
        "fusion_options": {"width": shapes["Seatts.0.reduce.weight"][0]},
    }


def _minet(shapes: Shapes) -> dict[str, Any]:
    return {**_branches(shapes), "n_groups": count(shapes, "net1.body.{}.body.0.body.0.weight")}


def _branches(shapes: Shapes) -> dict[str, Any]:
    width = shapes["net1.head.0.weight"][0]
    return {
        "scale": _scale(shapes, width),
        "n_blocks": count(shapes, "net1.body.0.body.{}.body.0.weight"),
        "width": width,
    }


def _scale(shapes: Shapes, width: int) -> int:
    """Return the scale of an upsampler: each of its convolutions has as many times more features, squared."""
    factor = round((shapes["tail.0.0.weight"][0] // width) ** 0.5)
    return int(factor ** sum(name.startswith("tail.0.") and name.endswith(".weight") for name in shapes))


def _branch_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for theirs, ours in (("net1", "auxiliary"), ("net2", "target")):
        names |= {
            rf"{theirs}\.head\.0": f"{ours}.stem",
            rf"{theirs}\.body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du": rf"{ours}.stages.\1.body.\2.body.3.fc",
            rf"{theirs}\.body": f"{ours}.stages",
            rf"{theirs}\.csa": f"{ours}.attention",
            rf"{theirs}\.final": f"{ours}.head",
        }
    return names | {
        r"net1\.last1": "auxiliary.join",
        r"net2\.last": "target.join",
        r"net2\.last_conv": "summary",
        r"net2\.la": "integration",
        r"tail": "target.upsample",
    }


# what the third branch and the branches' copies of shared layers leave behind
UNUSED = (
    r"(body|csa|la|last|last1|last_conv|conv1|rgbd_global|add_mean)",
    r"net[12]\.(tail|add_mean)",
    r"net1\.(la|last|last_conv)",
    r"net2\.last1",
    r"Seatts\.\d+\.convq",
)

SUPER_RESOLUTION_ORIGINALS = {
    # the authors' loop ends with its four separable attentions, whatever the number of groups
    "sanet": Original(
        SANet,
        _sanet,
        {
            r"Seatts\.(\d+)\.reduce": r"fusions.\1.reduce",
            r"Seatts\.(\d+)\.ff_conv": r"fusions.\1.high",
            r"Seatts\.(\d+)\.bf_conv": r"fusions.\1.low",
            r"Seatts\.(\d+)\.rgbd_pred_layer\.enlayer": r"fusions.\1.join",
            r"Seatts\.(\d+)\.rgbd_pred_layer\.outlayer\.0": r"fusions.\1.output",
            r"map_convs\.(\d+)": r"fusions.\1.map",
            **_branch_names(),
        },
        unused=(*UNUSED, "fusion_convs", r"net[12]\.body\.([4-9]|\d\d+)", r"map_convs\.([4-9]|\d\d+)"),
    ),
    "minet": Original(
        MINet, _minet, {r"fusion_convs\.(\d+)": r"fusions.\1.conv", **_branch_names()}, unused=(*UNUSED, "map_convs")
    ),
    "edsr": Original(EDSR, _edsr, {r"head\.0": "stem", r"tail\.0": "upsample", r"tail\.1": "head"}),
    "mcmrsr": MCMRSR,
}
