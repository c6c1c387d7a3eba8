"""Tests of networks.onnx_network."""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError
from mri_attention.scripts.running.onnx_network import OnnxNetwork

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime"))), reason="needs the packages of mri-attention[share]"
)


def identity(file: Path, shape: Sequence[int | str]) -> Path:
    """Write a network that returns its input."""
    from onnx import TensorProto, helper, save

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("image", "pred"))
    graph = helper.make_graph([helper.make_node("Identity", ["image"], ["pred"])], "identity", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"bundle": json.dumps("tiny")})
    save(model, file)
    return file


@needs_onnx
def test_keeps_values_and_metadata(tmp_path: Path) -> None:
    network = OnnxNetwork(identity(tmp_path / "a.onnx", ["b", 1, "x", "y"]))
    image = MetaTensor(torch.rand(2, 1, 3, 4), affine=2 * torch.eye(4))
    found = network(image)
    torch.testing.assert_close(found.as_tensor(), image.as_tensor())
    torch.testing.assert_close(found.affine, image.affine)
    assert network.about == {"bundle": "tiny"}


@needs_onnx
def test_complex_values_go_in_as_two_numbers(tmp_path: Path) -> None:
    kspace = torch.randn(1, 1, 3, 4, dtype=torch.complex64)
    found = OnnxNetwork(identity(tmp_path / "a.onnx", ["b", 1, "x", "y", 2]))(kspace)
    torch.testing.assert_close(torch.view_as_complex(found), kspace)


@needs_onnx
@pytest.mark.parametrize("shape", [(1, 1, 8, 4), (1, 2, 8, 8), (1, 1, 8, 8, 8)], ids=str)
def test_sizes_that_the_file_does_not_allow_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    network = OnnxNetwork(identity(tmp_path / "a.onnx", ["b", 1, 8, 8]))
    given = " x ".join(map(str, shape))
    with pytest.raises(
        InputError, match=f"a.onnx: takes image of any x 1 x 8 x 8, not of {given}; use --runtime torch"
    ):
        network(torch.zeros(shape))


def test_absence_of_onnxruntime_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return ordinary(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"needs onnxruntime; pip install 'mri-attention\[share\]'"):
        OnnxNetwork(tmp_path / "a.onnx")


@needs_onnx
def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such ONNX file; write it by mri-attention export BUNDLE --onnx"):
        OnnxNetwork(tmp_path / "a.onnx")
