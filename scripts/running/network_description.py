"""What makes a network: its constructor and arguments, as a bundle's config tells them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError
from .config_files import walk

if TYPE_CHECKING:
    from monai.bundle import ConfigParser


def network_description(parser: ConfigParser) -> dict[str, Any]:
    """Return the arguments of ``network_def``, references resolved, whichever package the network is in.

    Where the config has a ``scale``, that is among them: weights can be for one scale, of a network that does for all.
    """
    found: dict[str, Any] = {"scale": parser.get_parsed_content("scale")} if "scale" in parser else {}
    for place, text in walk(parser["network_def"]):
        is_reference = isinstance(text, str) and text[:1] in "@$"
        value = parser.get_parsed_content(f"network_def::{place}") if is_reference else text
        found[place] = str(value).partition(".")[2] if place.endswith("_target_") else value
    return found


def require_same_network(parser: ConfigParser, onnx_file: Path) -> None:
    """Compare the config's network with that from which the workflow's ONNX file was written.

    Raises:
        InputError: if they differ, such as in the scale of super-resolution.
    """
    about = parser.get_parsed_content("network").about.get("network")
    wanted = network_description(parser)
    if about is None:
        raise InputError.at(onnx_file, "does not tell its network", "write it by mri-attention export BUNDLE --onnx")
    if differing := [name for name in about | wanted if about.get(name) != wanted.get(name)]:
        name = differing[0]
        problem = f"was written of another network ({name}: {about.get(name)}, not {wanted.get(name)})"
        raise InputError.at(onnx_file, problem, "set `runtime` to torch, or export a bundle with this network")
