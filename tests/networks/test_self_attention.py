from typing import Any

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import SelfAttention
from mri_attention.networks.blocks.self_attention import MODES
from tests.helpers import assert_gradients_flow, features, with_open_gates

SHAPES = [(2, 6, 5, 7), (1, 6, 4, 3, 5)]
OPTIONS = [{}, {"mode": "dot_product"}, {"mode": "gaussian"}, {"sub_sample": 2}, {"scale": "sqrt"}]


def attention(shape: tuple[int, ...], **options: Any) -> SelfAttention:
    torch.manual_seed(0)
    block = SelfAttention(shape[1], len(shape) - 2, **options)
    with_open_gates(block)
    return block.double().eval()


def double(shape: tuple[int, ...]) -> Tensor:
    return features(*shape, dtype=torch.float64)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_streamed_equals_literal(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    streamed, literal = (attention(shape, literal=literal, **options) for literal in (False, True))
    torch.testing.assert_close(streamed(double(shape)), literal(double(shape)))


@pytest.mark.parametrize("mode", MODES)
def test_equals_sums_over_pairs_of_voxels(mode: str) -> None:
    """Eqs. 1 to 4 and 6, voxel by voxel."""
    block, x = attention((1, 6, 2, 3), mode=mode, batch_norm=False), double((1, 6, 2, 3))
    theta, phi, g = (project(x)[0].flatten(1).T for project in (block.theta, block.phi, block.g))
    for i in range(6):
        pairs = torch.stack([theta[i] @ phi[j] for j in range(6)])
        f, normalizer = (pairs, 6) if mode == "dot_product" else (pairs.exp(), pairs.exp().sum())
        y = sum(f[j] * g[j] for j in range(6)) / normalizer
        z = block.output.weight[:, :, 0, 0] @ y + block.output.bias + x[0].flatten(1)[:, i]
        torch.testing.assert_close(block(x)[0].flatten(1)[:, i], z)


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[1], OPTIONS[2]], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_permuting_voxels_permutes_the_output(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    block, x = attention(shape, **options), double(shape)
    order = torch.randperm(x[0, 0].numel(), generator=torch.Generator().manual_seed(2))
    permuted = x.flatten(2)[..., order].view(shape)
    torch.testing.assert_close(block(permuted).flatten(2), block(x).flatten(2)[..., order])


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[2], OPTIONS[3], OPTIONS[4]], ids=str)
def test_rows_of_affinities_sum_to_one(options: dict[str, Any]) -> None:
    weights = attention(SHAPES[1], **options).attention_weights(double(SHAPES[1]))
    assert weights.shape == (1, 60, 2 * 1 * 2 if "sub_sample" in options else 60)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 60, dtype=torch.float64))


@pytest.mark.parametrize("sub_sample", [(1, 2, 2), (1, 1, 1), (9, 9, 9)], ids=str)
def test_sub_sampling_pools_keys_and_values_of_any_size(sub_sample: tuple[int, ...]) -> None:
    shape, x = SHAPES[1], double(SHAPES[1])
    block = attention(shape, sub_sample=sub_sample)
    sizes = [min(pair) for pair in zip(sub_sample, shape[2:], strict=True)]
    keys, values = (torch.nn.functional.max_pool3d(part(x), sizes).flatten(2) for part in (block.phi, block.g))
    y = (block.theta(x).flatten(2).mT @ keys).softmax(-1) @ values.mT
    torch.testing.assert_close(block(x), x + block.output(y.mT.unflatten(2, shape[2:])))


def test_scaling_divides_logits_by_the_root_of_the_width() -> None:
    block, x = attention(SHAPES[0], scale="sqrt"), double(SHAPES[0])
    logits = block.theta(x).flatten(2).mT @ block.phi(x).flatten(2) / 3**0.5
    torch.testing.assert_close(block.attention_weights(x), logits.softmax(-1))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    assert_gradients_flow(attention(SHAPES[1], **options).train(), double(SHAPES[1]))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_starts_as_the_identity(batch_norm: bool) -> None:
    x = features(*SHAPES[1])
    torch.testing.assert_close(SelfAttention(6, batch_norm=batch_norm)(x), x, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "n_parameters"),
    [
        ({}, 3 * (64 * 32 + 32) + 32 * 64 + 64 + 2 * 64),
        ({"mode": "gaussian", "batch_norm": False}, 64 * 32 + 32 + 32 * 64 + 64),
    ],
    ids=str,
)
def test_has_the_parameters_of_its_convolutions(options: dict[str, Any], n_parameters: int) -> None:
    assert sum(p.numel() for p in SelfAttention(64, **options).parameters()) == n_parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"mode": "sum"}, "mode must be one of .*, got 'sum'"),
        ({"sub_sample": 0}, "sub_sample must not be below 1, got 0"),
        ({"sub_sample": (1, 2)}, "length"),
        ({"scale": "n"}, "got 'n'"),
    ],
    ids=str,
)
def test_rejects_unknown_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SelfAttention(4, **options)
