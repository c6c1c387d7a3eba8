from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import AttentionGate, MultiAttentionGate
from mri_attention.networks.blocks.attention_gate import MODES
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

GRIDS = [((6, 8), (3, 4)), ((7, 5, 9), (3, 2, 4)), ((1, 3, 2), (2, 2, 2))]


def gate(spatial_dims: int, block: type = AttentionGate, **options: Any) -> AttentionGate:
    torch.manual_seed(0)
    return block(6, 4, spatial_dims, **options)


@pytest.mark.parametrize("block", [AttentionGate, MultiAttentionGate])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("grids", GRIDS, ids=str)
def test_keeps_shape_and_is_deterministic(grids: tuple[tuple[int, ...], ...], mode: str, block: type) -> None:
    x, context = features(2, 6, *grids[0]), features(2, 4, *grids[1])
    module = gate(len(grids[0]), block, mode=mode)
    assert module(x, context).shape == x.shape
    assert_deterministic_in_eval(module, x, context)


@pytest.mark.parametrize("block", [AttentionGate, MultiAttentionGate])
@pytest.mark.parametrize("mode", MODES)
def test_gradients_reach_every_parameter(mode: str, block: type) -> None:
    module = gate(3, block, mode=mode).eval()  # in training, batch normalization takes biases away
    assert_gradients_flow(module, features(2, 6, 7, 5, 9), features(2, 4, 3, 2, 4))


@pytest.mark.parametrize("mode", ["concatenation", "softplus"])
def test_weights_lie_between_zero_and_one(mode: str) -> None:
    alpha = gate(3, mode=mode).attention_weights(features(2, 6, 7, 5, 9), features(2, 4, 3, 2, 4))
    assert alpha.shape == (2, 1, 7, 5, 9)
    assert 0 < alpha.min() < alpha.max() < 1


def test_residual_weights_sum_to_one_over_space() -> None:
    module = gate(3, mode="residual", sub_sample=1)
    alpha = module.attention_weights(features(2, 6, 4, 5, 3), features(2, 4, 2, 2, 2))
    torch.testing.assert_close(alpha.sum((1, 2, 3, 4)), torch.ones(2))


@pytest.mark.parametrize("mode", ["concatenation", "softplus"])
def test_weights_of_a_voxel_follow_equations_1_and_2(mode: str) -> None:
    """On one grid, without resampling: a sum of matrix products per voxel."""
    module = gate(2, mode=mode, sub_sample=1)
    x, context = features(1, 6, 3, 4), features(1, 4, 3, 4)
    theta, phi, psi = (part.weight.flatten(1) for part in (module.theta, module.phi, module.psi))
    activation = torch.nn.functional.softplus if mode == "softplus" else torch.relu
    hidden = activation(theta @ x[0, :, 1, 2] + phi @ context[0, :, 1, 2] + module.phi.bias)
    expected = torch.sigmoid(psi @ hidden + module.psi.bias)
    torch.testing.assert_close(module.attention_weights(x, context)[0, :, 1, 2], expected)


def test_constant_gates_only_scale() -> None:
    """With a psi of zero the sigmoid is a half everywhere."""
    module = gate(3).eval()
    torch.nn.init.zeros_(module.psi.weight)
    torch.nn.init.zeros_(module.psi.bias)
    x = features(2, 6, 7, 5, 9)
    torch.testing.assert_close(module(x, features(2, 4, 3, 2, 4)), module.output(0.5 * x))


def test_several_gates_have_a_map_each() -> None:
    module = gate(3, MultiAttentionGate, n_gates=3)
    assert module.attention_weights(features(2, 6, 7, 5, 9), features(2, 4, 3, 2, 4)).shape == (2, 3, 7, 5, 9)


@pytest.mark.parametrize("mode", MODES)
def test_autocast_keeps_dtype_and_computes_weights_in_single_precision(mode: str) -> None:
    module, x, context = gate(3, mode=mode).eval(), features(2, 6, 7, 5, 9), features(2, 4, 3, 2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        y, alpha = module(x, context), module.attention_weights(x, context)
    assert (y.dtype, alpha.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(y, module(x, context), rtol=0.1, atol=0.1)


def test_has_the_parameters_of_its_convolutions() -> None:
    module = AttentionGate(8, 12, inter_channels=8)
    expected = 8 * 8 * 2**3 + (12 * 8 + 8) + (8 + 1) + (8 * 8 + 8) + 2 * 8
    assert sum(p.numel() for p in module.parameters()) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"mode": "debug"}, "mode must be one of .*, got 'debug'"),
        ({"sub_sample": (2, 2)}, "length"),
    ],
    ids=str,
)
def test_rejects_unknown_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttentionGate(4, 4, **options)
