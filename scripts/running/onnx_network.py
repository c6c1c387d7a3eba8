"""A network in ONNX, in the place of a torch module, and the arguments that tell whether it is the config's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from torch import Tensor, nn

from ...datasets import InputError
from .config_files import walk


class OnnxNetwork(nn.Module):
    """Run a network that ``mri-attention export --onnx`` wrote by onnxruntime on the CPU, in float32.

    Complex inputs go in with real and imaginary parts along a last axis of two, as ONNX' own transforms want them.

    Args:
        file: the network.
        n_threads: of onnxruntime, 0 for its own choice; by default as many as torch has.

    Attributes:
        about: what the file tells of the network: its constructor's arguments, and the weights' SHA-256.

    Raises:
        InputError: if onnxruntime is not installed, or the file is missing or cannot be read; when called, for sizes
            that the file does not allow.
    """

    def __init__(self, file: str | Path, n_threads: int | None = None) -> None:
        super().__init__()
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError.at("`runtime` onnx", "needs onnxruntime", "pip install 'mri-attention[share]'") from error
        if not Path(file).is_file():
            remedy = "write it by mri-attention export BUNDLE --onnx, and give that folder, or the file as `model_file`"
            raise InputError.at(file, "no such ONNX file", remedy)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised
        options.intra_op_num_threads = torch.get_num_threads() if n_threads is None else n_threads
        try:
            self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common parent
            raise InputError.at(file, "cannot be read as ONNX", "export it anew") from error
        self.file = Path(file)
        self.about: dict[str, Any] = {
            name: json.loads(text) for name, text in self.session.get_modelmeta().custom_metadata_map.items()
        }

    def forward(self, *inputs: Tensor | None) -> Tensor:
        """Map what the torch network takes, ``(b, c, *spatial)`` each, to its image, with the metadata of the first."""
        given = [torch.view_as_real(x) if x.is_complex() else x for x in inputs if x is not None]
        arrays = {}
        for place, x in zip(self.session.get_inputs(), given, strict=True):
            if len(place.shape) != x.ndim or any(
                isinstance(n, int) and n != m for n, m in zip(place.shape, x.shape, strict=True)
            ):
                problem = f"takes {place.name} of {_sizes(place.shape)}, not of {_sizes(x.shape)}"
                raise InputError.at(self.file, problem, "set `runtime` to torch")
            arrays[place.name] = (x if x.dtype == torch.bool else x.float()).contiguous().cpu().numpy()
        (output,) = self.session.run(None, arrays)
        found, source = torch.from_numpy(output).to(given[0].device), inputs[0]
        return MetaTensor(found).copy_meta_from(source) if isinstance(source, MetaTensor) else found


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


def _sizes(shape: Any) -> str:
    return " x ".join(str(n) if isinstance(n, int) else "any" for n in shape)
