from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import ConcatenationFusion, SeparableAttention
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SHAPES = [(2, 8, 5, 7), (2, 8, 3, 4, 5)]


@pytest.mark.parametrize("block", [SeparableAttention, ConcatenationFusion])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_keeps_shape_and_reaches_every_parameter(block: type, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, x = block(8, len(shape) - 2), features(*shape)
    assert module(x, x.flip(2)).shape == shape
    assert_gradients_flow(module, x, x.flip(2))
    assert_deterministic_in_eval(module, x, x.flip(2))


def test_has_the_parameters_of_the_original() -> None:
    n_parameters = sum(p.numel() for p in SeparableAttention(64, 2).parameters())
    assert n_parameters == 43_392 + 577


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bright_and_dark_parts_are_weighted_by_what_adds_up_to_one(shape: tuple[int, ...]) -> None:
    """With the map turned upside down and the two paths swapped, the result is the same."""
    torch.manual_seed(0)
    block, x = SeparableAttention(8, len(shape) - 2).eval(), features(*shape)
    weights, expected = block.attention_weights(x, x.flip(2)), block(x, x.flip(2))
    assert 0 < weights.min() < weights.max() < 1
    with torch.no_grad():
        block.map.weight.neg_()
        block.map.bias.neg_()
        block.high, block.low = block.low, block.high
        first = block.join[0].weight
        first.copy_(torch.cat(first.chunk(2, 1)[::-1], 1))
    torch.testing.assert_close(block.attention_weights(x, x.flip(2)), 1 - weights)
    torch.testing.assert_close(block(x, x.flip(2)), expected)


def test_map_is_of_the_guide_alone() -> None:
    block, x = SeparableAttention(8, 2), features(2, 8, 5, 7)
    context = x.flip(2)
    torch.testing.assert_close(block.attention_weights(x, context), block.attention_weights(2 * x, context))


def test_without_guide_the_target_guides_itself() -> None:
    block, x = SeparableAttention(8, 2).eval(), features(2, 8, 5, 7)
    torch.testing.assert_close(block(x), block(x, x), rtol=0, atol=0)


@pytest.mark.parametrize(("norm", "n_norms"), [("batch", 3), ("instance", 0), (None, 0)])
def test_normalization_is_an_option(norm: Any, n_norms: int) -> None:
    block = SeparableAttention(8, 2, norm=norm)
    assert sum(isinstance(module, torch.nn.BatchNorm2d) for module in block.modules()) == n_norms
    assert block(features(1, 8, 5, 7)).shape == (1, 8, 5, 7)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_as_printed_the_map_is_the_guide_and_one_channel_is_added(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    block = SeparableAttention(8, len(shape) - 2, norm=None, attention_map="features", residual="channel")
    x, context = features(*shape), features(*shape).flip(2)
    torch.testing.assert_close(block.attention_weights(x, context), context.sigmoid())
    added = block(x, context) - x
    torch.testing.assert_close(added, added[:, :1].expand_as(added))
    both = block.reduce(torch.cat([context, x], 1))
    parts = [block.high(both * context.sigmoid()), block.low(both * (1 - context.sigmoid()))]
    torch.testing.assert_close(added[:, :1], block.join[0](torch.cat(parts, 1)).relu())
    assert_gradients_flow(block, x, context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"width": 0}, "width must not be below 1, got 0"),
        ({"norm": "group"}, "norm must be .* got 'group'"),
        ({"attention_map": "guide"}, "attention_map must be .* got 'guide'"),
        ({"residual": "voxel"}, "residual must be .* got 'voxel'"),
        ({"attention_map": "features", "width": 4}, 'width must be 8 for attention_map "features", got 4'),
    ],
    ids=str,
)
def test_rejects_unusable_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SeparableAttention(8, **options)


def test_concatenation_rejects_other_dimensions() -> None:
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 4"):
        ConcatenationFusion(8, 4)
