"""Tests of the blocks of guided reconstruction."""

from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import (
    AdditiveDenseBlock,
    DilatedDenseBlock,
    KspaceDataConsistency,
    T1GuidedAttention,
)
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SHAPES = [(2, 8, 5, 7), (2, 8, 3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", ["channel-spatial", "spatial-channel"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_guidance_keeps_shape_and_reaches_every_parameter(shape: tuple[int, ...], order: Any, pooling: Any) -> None:
    torch.manual_seed(0)
    block = T1GuidedAttention(8, len(shape) - 2, reduction=2, order=order, pooling=pooling)
    x, context = features(*shape), features(*shape).flip(2)
    assert block(x, context).shape == shape
    assert_gradients_flow(block, x, context)
    assert_deterministic_in_eval(block, x, context)


def test_guide_multiplies_the_target() -> None:
    block, x, context = T1GuidedAttention(8, 2, reduction=2), features(2, 8, 5, 7), features(2, 8, 5, 7).flip(2)
    weights = block.attention_weights(x, context)
    assert all(0 < value.min() < value.max() < 1 for value in weights.values())
    assert [tuple(value.shape) for value in weights.values()] == [(2, 8, 1, 1), (2, 1, 5, 7)]
    torch.testing.assert_close(block(x, context), x * (1 + context * weights["channel"] * weights["spatial"]))
    torch.testing.assert_close(block(2 * x, context), 2 * block(x, context))


def test_nothing_in_the_guide_changes_nothing() -> None:
    x = features(2, 8, 5, 7)
    torch.testing.assert_close(T1GuidedAttention(8, 2)(x, torch.zeros_like(x)), x, rtol=0, atol=0)


@pytest.mark.parametrize("order", ["channel-spatial", "spatial-channel"])
def test_orders_weigh_with_what_came_first(order: Any) -> None:
    block, x = T1GuidedAttention(8, 2, reduction=2, order=order), features(2, 8, 5, 7)
    weights = block.attention_weights(x, x)
    first, second = order.split("-")
    again = {"channel": block._weigh_channels, "spatial": block._weigh_voxels}
    torch.testing.assert_close(again[first](x), weights[first])
    torch.testing.assert_close(again[second](x * weights[first]), weights[second])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 4}, "spatial_dims must be 2 or 3, got 4"),
        ({"reduction": 0}, "reduction must not be below 1 and kernel_size odd, got reduction=0"),
        ({"kernel_size": 4}, "reduction must not be below 1 and kernel_size odd"),
        ({"pooling": "mean"}, "got 'mean'"),
        ({"order": "both"}, "got 'both'"),
    ],
    ids=str,
)
def test_guidance_rejects_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        T1GuidedAttention(8, **options)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_dense_block_adds_what_came_before(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    block, x = AdditiveDenseBlock(8, len(shape) - 2, n_convs=3), features(*shape)
    assert_gradients_flow(block, x)
    first, second, third = block.convs
    a = block.norms[0](first(x)).relu()
    b = block.norms[1](second(a) + x).relu()
    torch.testing.assert_close(block(x), block.norms[2](third(b) + x + a).relu())
    assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_convs": 0}, "n_convs must not be below 1, got 0"), ({"spatial_dims": 1}, "spatial_dims must be 2 or 3")],
    ids=str,
)
def test_dense_block_rejects_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdditiveDenseBlock(8, **options)


def test_dilated_block_sees_as_far_as_its_dilations_add_up() -> None:
    torch.manual_seed(0)
    block, x = DilatedDenseBlock(4, 3, (1, 2, 3), reduction=1), features(1, 4, 5, 7)
    assert block(x).shape == x.shape
    assert_gradients_flow(block, x)
    assert_deterministic_in_eval(block, x)
    line = torch.zeros(1, 4, 1, 25, requires_grad=True)
    layers = line
    for conv in block.convs:
        layers = torch.cat([layers, conv(layers)], 1)
    layers[0, -1, 0, 12].backward()
    seen = line.grad[0, :, 0].abs().sum(0).nonzero().flatten()
    assert (seen.min(), seen.max()) == (12 - 6, 12 + 6)


@pytest.mark.parametrize(("noise_weight", "share"), [(None, 1.0), (1.0, 0.5), (0.0, 0.0)])
def test_consistency_replaces_what_was_measured(noise_weight: float | None, share: float) -> None:
    predicted, measured = (torch.complex(features(2, 1, 4, 6), features(2, 1, 4, 6).flip(i)) for i in (2, 3))
    mask = torch.arange(6) % 2 == 0
    block = KspaceDataConsistency(noise_weight)
    result = block(predicted, measured * mask, mask)
    torch.testing.assert_close(result[..., ~mask], predicted[..., ~mask], rtol=0, atol=0)
    torch.testing.assert_close(result[..., mask], (share * measured + (1 - share) * predicted)[..., mask])
    torch.testing.assert_close(block(predicted, measured * mask), result)
    if noise_weight is None:  # a projection
        torch.testing.assert_close(block(result, measured * mask, mask), result, rtol=0, atol=0)


def test_consistency_rejects_negative_weight() -> None:
    with pytest.raises(ValueError, match=r"noise_weight must not be negative, got -1\.0"):
        KspaceDataConsistency(-1.0)
