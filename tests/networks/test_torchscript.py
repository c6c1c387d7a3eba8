"""Tests of networks in TorchScript: scripted as by the model zoo, and equal to eager mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import CrossScaleTransformer
from mri_attention.networks.nets import (
    CFTN,
    FANet,
    FAQSMRefiner,
    HeteroModalNetwork,
    Interpolation,
    MANet,
    SANet,
    TwoContrastNetwork,
)

from ..helpers import features, with_open_gates

NETWORKS: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "CFTN": (lambda: CFTN(2, 4, 2, (0, 2), interpolation="spline"), [(1, 1, 5, 6, 7), (2, 1, 8, 4, 6)]),
    "CFTN x3": (lambda: CFTN(3, 4, 1, (1,), spatial_fusion=False), [(1, 1, 6, 7, 4)]),
    "SANet": (
        lambda: TwoContrastNetwork(
            SANet(1, 2, 1, 4, fusion_options={"norm": None}), is_residual=True, heads=["target.head"]
        ),
        [(1, 2, 7, 9), (2, 2, 6, 5)],
    ),
    "FANet": (
        lambda: HeteroModalNetwork(FANet(6, channels=[4, 8], norm_groups=2, attention_options={"scale": "sqrt"})),
        [(1, 3, 7, 6, 5), (2, 3, 8, 4, 6)],
    ),
    "FAQSMRefiner": (lambda: FAQSMRefiner([4, 8]), [(1, 4, 7, 6, 5), (2, 4, 8, 4, 6)]),
}


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_scripted_network_equals_eager_mode_at_any_size(name: str) -> None:
    make, shapes = NETWORKS[name]
    torch.manual_seed(0)
    network = with_open_gates(make()).eval()
    scripted = torch.jit.script(network)
    assert list(scripted.state_dict()) == list(network.state_dict())
    for shape in shapes:
        x = 0.1 * features(*shape)
        torch.testing.assert_close(scripted(x), network(x), rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("has_mask", [True, False])
def test_scripted_manet_equals_eager_mode_in_all_its_outputs(has_mask: bool) -> None:
    torch.manual_seed(0)
    network = with_open_gates(MANet(4, is_residual=True, data_consistency=True)).eval()
    mask = features(1, 1, 1, 20) > 0
    kspace = features(1, 1, 17, 20, dtype=torch.complex64) * mask
    inputs = (kspace, features(1, 1, 17, 20).abs(), *([mask] if has_mask else []))
    found, expected = torch.jit.script(network)(*inputs), network(*inputs)
    assert list(found) == list(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_scripted_manet_knows_the_noise_too() -> None:
    torch.manual_seed(0)
    network = with_open_gates(MANet(4, is_residual=True, data_consistency=True, knows_noise=True)).eval()
    kspace = features(1, 1, 17, 20, dtype=torch.complex64)
    inputs = (kspace, kspace.abs(), features(1, 1, 1, 20) > 0, torch.full((1, 1, 1, 1), 0.1), kspace.flip(2))
    torch.testing.assert_close(torch.jit.script(network)(*inputs), network(*inputs), rtol=1e-5, atol=1e-5)


def test_scripted_network_is_trained_by_the_gradients_of_eager_mode() -> None:
    torch.manual_seed(0)
    network = with_open_gates(HeteroModalNetwork(FANet(6, channels=[4, 8], norm_groups=2, dropout=0.0)))
    x = features(1, 3, 6, 5, 4)

    def gradients(run: Any) -> list[Tensor]:
        return list(torch.autograd.grad(run(x).square().sum(), list(network.parameters())))

    for found, expected in zip(gradients(torch.jit.script(network)), gradients(network), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_scripted_network_survives_a_file(tmp_path: Path) -> None:
    network = FAQSMRefiner([4, 8]).eval()
    torch.jit.script(network).save(str(tmp_path / "model.ts"))
    x = features(1, 4, 6, 5, 4)
    torch.testing.assert_close(torch.jit.load(str(tmp_path / "model.ts"))(x), network(x))


MATCHINGS: list[dict[str, Any]] = [
    {},
    {"stride": 1, "overlap": 6, "padding": "replicate", "logit_scale": 10, "normalize_keys": True},
    {"overlap": "none", "downsampling": "antialiased", "scale": 3},
]


@torch.no_grad()
@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("options", MATCHINGS)
def test_scripted_cross_scale_attention_equals_eager_mode(options: dict[str, Any], spatial_dims: int) -> None:
    torch.manual_seed(0)
    block = CrossScaleTransformer(4, spatial_dims, **options).eval()
    x = features(2, 4, *[7, 8, 6][:spatial_dims])
    torch.testing.assert_close(torch.jit.script(block)(x), block(x), rtol=1e-4, atol=1e-5)


def test_what_torchscript_does_not_have_is_refused() -> None:
    with pytest.raises(torch.jit.Error, match="no cross-scale attention with window"):
        torch.jit.script(CrossScaleTransformer(4, 2, window=1))(features(1, 4, 6, 6))
    with pytest.raises(torch.jit.Error, match="cubic or spline, not by deconvolved"):
        torch.jit.script(Interpolation(2, "deconvolved"))(features(1, 1, 6, 6))
