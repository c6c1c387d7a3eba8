import pytest
import torch

from mri_attention.networks.blocks import ResidualChannelAttentionBlock, ResidualGroup, SubpixelUpsampling
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SHAPES = [(2, 8, 5, 7), (2, 8, 3, 4, 5)]


@pytest.mark.parametrize("block", [ResidualChannelAttentionBlock, ResidualGroup])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_keeps_shape_and_reaches_every_parameter(block: type, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, x = block(8, len(shape) - 2, reduction=1), features(*shape)
    assert module(x).shape == shape
    assert_gradients_flow(module, x)
    assert_deterministic_in_eval(module, x)


@pytest.mark.parametrize(("block", "n_parameters"), [(ResidualChannelAttentionBlock, 74_436), (ResidualGroup, 483_544)])
def test_has_the_parameters_of_the_original(block: type, n_parameters: int) -> None:
    assert sum(p.numel() for p in block(64, 2).parameters()) == n_parameters


def test_what_is_added_is_weighted_by_channel() -> None:
    torch.manual_seed(0)
    block, x = ResidualChannelAttentionBlock(8, 2, reduction=2), features(2, 8, 5, 7)
    refined = block.body[:3](x)
    torch.testing.assert_close(block(x), x + block.attention_weights(x)[..., None, None] * refined)


def test_group_without_blocks_is_a_convolution() -> None:
    group, x = ResidualGroup(8, 2, n_blocks=0), features(2, 8, 5, 7)
    torch.testing.assert_close(group(x), x + group.body[0](x))


def test_rejects_negative_number_of_blocks() -> None:
    with pytest.raises(ValueError, match="n_blocks must not be negative, got -1"):
        ResidualGroup(8, n_blocks=-1)


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_upsampling_multiplies_the_size(scale: int) -> None:
    assert SubpixelUpsampling(4, scale)(features(1, 4, 3, 5)).shape == (1, 4, 3 * scale, 5 * scale)


def test_upsampling_moves_with_the_coarse_grid() -> None:
    """A shift by one coarse pixel is one by ``scale`` fine ones."""
    torch.manual_seed(0)
    module, x = SubpixelUpsampling(4, 3), features(1, 4, 7, 8)
    torch.testing.assert_close(module(x.roll(1, 2))[:, :, 6:-6], module(x).roll(3, 2)[:, :, 6:-6])


@pytest.mark.parametrize("scale", [0, 5, 6, -2])
def test_upsampling_rejects_other_scales(scale: int) -> None:
    with pytest.raises(ValueError, match=f"scale must be 3 or a power of two, got {scale}"):
        SubpixelUpsampling(4, scale)
