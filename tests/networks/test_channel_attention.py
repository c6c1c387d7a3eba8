from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import ChannelAttention, ChannelSpatialAttention
from tests.helpers import features

SHAPES = [(2, 8, 5, 7), (2, 8, 3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scaling_is_constant_over_space(shape: tuple[int, ...]) -> None:
    block, x = ChannelAttention(8, len(shape) - 2, reduction=2), features(*shape)
    weights = block.attention_weights(x)
    assert weights.shape == shape[:2]
    assert 0 < weights.min() < weights.max() < 1
    torch.testing.assert_close((block(x) / x).flatten(2), weights[..., None].expand_as(x.flatten(2)))


@pytest.mark.parametrize("block", [ChannelAttention(8, 2), ChannelSpatialAttention(8, 2)], ids=["SE", "CBAM"])
def test_channel_weights_do_not_depend_on_where_voxels_are(block: ChannelAttention) -> None:
    x = features(2, 8, 5, 7)
    weights, flipped = (block.attention_weights(y) for y in (x, x.flip(2, 3)))
    if isinstance(weights, dict):
        weights, flipped = weights["channel"], flipped["channel"]
    torch.testing.assert_close(weights, flipped)


def test_has_the_parameters_of_rcan() -> None:
    assert sum(p.numel() for p in ChannelAttention(64).parameters()) == 64 * 4 + 4 + 4 * 64 + 64


def test_has_the_parameters_of_squeeze_and_excitation_without_biases() -> None:
    block = ChannelAttention(64, bias=False)
    assert sum(p.numel() for p in block.parameters()) == 2 * 64 * 4
    assert block(features(2, 64, 3, 4, 5)).shape == (2, 64, 3, 4, 5)


def test_narrow_features_are_reduced_to_one_channel() -> None:
    assert ChannelAttention(4).fc[0].out_features == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_channels_and_voxels_are_weighted_apart(shape: tuple[int, ...]) -> None:
    block, x = ChannelSpatialAttention(8, len(shape) - 2, reduction=2), features(*shape)
    weights = block.attention_weights(x)
    assert weights["channel"].shape == (*shape[:2], *(1 for _ in shape[2:]))
    assert weights["spatial"].shape == (shape[0], 1, *shape[2:])
    torch.testing.assert_close(block(x), weights["spatial"] * (weights["channel"] * x))


def test_average_and_maximum_share_the_perceptron() -> None:
    """Of features without any spread, both are the same: twice the logits."""
    block, x = ChannelSpatialAttention(8, 2), features(2, 8, 1, 1).expand(2, 8, 5, 7)
    expected = (2 * block.channel(x[..., 0, 0])).sigmoid()
    torch.testing.assert_close(block.attention_weights(x)["channel"][..., 0, 0], expected)


def test_spatial_weights_ignore_the_order_of_channels() -> None:
    block, x = ChannelSpatialAttention(8, 3), features(2, 8, 3, 4, 5)
    torch.testing.assert_close(block._weigh_voxels(x), block._weigh_voxels(x.flip(1)))


@pytest.mark.parametrize("block", [ChannelAttention, ChannelSpatialAttention])
@pytest.mark.parametrize(
    ("options", "message"),
    [({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"), ({"reduction": 0}, "reduction must not be below 1")],
    ids=str,
)
def test_rejects_unusable_options(block: type, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block(8, **options)


def test_rejects_even_kernels() -> None:
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        ChannelSpatialAttention(8, kernel_size=4)
