"""Tests of networks.nets.hetero_modal."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.nets import HeteroModalNetwork, UNet3D
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features


class Same(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def two_cases(*size: int) -> Tensor:
    """Return one case with all of three contrasts, and one with the last alone."""
    x = features(2, 3, *size)
    x[1, :2] = 0
    return x


@pytest.mark.parametrize("size", [(5, 6), (5, 6, 7)])
def test_appends_for_each_case_which_channels_are_there(size: tuple[int, ...]) -> None:
    x = two_cases(*size)
    y = HeteroModalNetwork(Same())(x)
    assert torch.equal(y[:, :3], x)
    told = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]).view(2, 3, *[1] * len(size))
    assert torch.equal(y[:, 3:], told.expand(2, 3, *size))


def test_one_voxel_below_zero_is_enough_to_be_there() -> None:
    x = torch.zeros(1, 2, 3, 3, 3)
    x[0, 1, 2, 2, 2] = -1e-6
    assert HeteroModalNetwork(Same())(x)[0, :, 0, 0, 0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_keeps_the_type_and_the_input(dtype: torch.dtype) -> None:
    x = two_cases(3, 4, 5).to(dtype)
    before = x.clone()
    assert HeteroModalNetwork(Same())(x).dtype == dtype
    assert torch.equal(x, before)


def test_weights_of_zero_for_what_is_told_change_nothing() -> None:
    plain, wide = nn.Conv3d(3, 4, 3, padding=1, bias=False), nn.Conv3d(6, 4, 3, padding=1, bias=False)
    nn.init.zeros_(wide.weight)
    wide.weight.data[:, :3] = plain.weight.data
    x = two_cases(7, 8, 9)
    torch.testing.assert_close(HeteroModalNetwork(wide)(x), plain(x))


def test_a_network_in_it_learns_from_all_channels_and_is_deterministic() -> None:
    network = HeteroModalNetwork(UNet3D(6, 2, (8, 16), dropout=0.5)).train()
    assert_deterministic_in_eval(network, two_cases(8, 8, 8))
    assert_gradients_flow(network, two_cases(8, 9, 8))


@pytest.mark.parametrize("runtime", ["script", "trace", "export"])
def test_other_runtimes_see_what_is_missing_in_inputs_of_theirs(runtime: str) -> None:
    network = HeteroModalNetwork(nn.Conv3d(6, 2, 3, padding=1)).eval()
    example, x = features(2, 3, 8, 8, 8), two_cases(9, 10, 11)
    free = ({0: torch.export.Dim.AUTO} | dict.fromkeys((2, 3, 4), torch.export.Dim.AUTO),)
    other = {
        "script": lambda: torch.jit.script(network),
        "trace": lambda: torch.jit.trace(network, example),
        "export": lambda: torch.export.export(network, (example,), dynamic_shapes=free).module(),
    }[runtime]()
    torch.testing.assert_close(other(x), network(x))


@pytest.mark.slow
@pytest.mark.skipif(not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))), reason="needs onnx")
def test_onnx_sees_what_is_missing(tmp_path: Path) -> None:
    import onnxruntime

    network, x = HeteroModalNetwork(nn.Conv3d(6, 2, 3, padding=1)).eval(), two_cases(8, 9, 10)
    program = torch.onnx.export(network, (features(2, 3, 8, 9, 10),), input_names=["x"], dynamo=True, verbose=False)
    assert program is not None
    program.save(tmp_path / "network.onnx")
    (found,) = onnxruntime.InferenceSession(tmp_path / "network.onnx").run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), network(x).detach(), rtol=1e-4, atol=1e-5)
