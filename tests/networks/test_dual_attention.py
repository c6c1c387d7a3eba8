from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import ChannelGramAttention, DualAttention, PositionAttention
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SHAPES = [(2, 16, 5, 3), (1, 16, 2, 3, 5)]


def position(shape: tuple[int, ...], **options: Any) -> PositionAttention:
    torch.manual_seed(0)
    block = PositionAttention(shape[1], len(shape) - 2, **options)
    with_open_gates(block)
    return block.double()


@pytest.mark.parametrize("scale", [None, "sqrt"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_position_attention_streamed_equals_literal(shape: tuple[int, ...], scale: str | None) -> None:
    x = features(*shape, dtype=torch.float64)
    streamed, literal = (position(shape, scale=scale, literal=literal)(x) for literal in (False, True))
    torch.testing.assert_close(streamed, literal)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_position_attention_follows_permuted_voxels(shape: tuple[int, ...]) -> None:
    block, x = position(shape), features(*shape, dtype=torch.float64)
    order = torch.randperm(x[0, 0].numel(), generator=torch.Generator().manual_seed(2))
    permuted = x.flatten(2)[..., order].view(shape)
    torch.testing.assert_close(block(permuted).flatten(2), block(x).flatten(2)[..., order])


def channel_weights(energies: torch.Tensor) -> torch.Tensor:
    """Return the affinities of channels whose Gram matrix is ``energies``."""
    channels = torch.linalg.cholesky(energies)
    return ChannelGramAttention().attention_weights(channels[None, :, :, None])[0]


def test_channels_attend_most_to_the_least_similar_one() -> None:
    energies = torch.tensor([[2.0, 0.5, -1.0], [0.5, 2.0, 0.3], [-1.0, 0.3, 2.0]], dtype=torch.float64)
    weights = channel_weights(energies)
    assert torch.equal(weights.argsort(-1), energies.argsort(-1, descending=True))
    row_maxima = energies.amax(-1, keepdim=True)
    torch.testing.assert_close(weights, (row_maxima - energies).softmax(-1))


def test_channel_attention_does_not_change_when_a_row_of_energies_shifts() -> None:
    x = features(1, 4, 5, 6, dtype=torch.float64)
    energies = (channels := x[0].flatten(1)) @ channels.T
    shift = torch.tensor([3.0, -2.0, 50.0, 0.0], dtype=torch.float64)[:, None]
    weights = ChannelGramAttention().attention_weights(x)[0]
    torch.testing.assert_close(weights, (-(energies + shift)).softmax(-1))


def test_channel_affinities_do_not_change_with_an_image_that_all_channels_gain() -> None:
    """Where it is orthogonal to all of them, each energy gains the same, its squared norm."""
    x = features(1, 4, 5, 6, dtype=torch.float64)
    channels, _ = torch.linalg.qr(x[0].flatten(1).T)
    image = features(2, 30, dtype=torch.float64)[1]
    shared = (image - channels @ (channels.T @ image)).view(5, 6)
    block = ChannelGramAttention()
    torch.testing.assert_close(block.attention_weights(x + shared), block.attention_weights(x))
    assert not torch.allclose(block.attention_weights(x + 1), block.attention_weights(x))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_channel_affinities_do_not_depend_on_where_voxels_are(shape: tuple[int, ...]) -> None:
    block, x = with_open_gates(ChannelGramAttention()), features(*shape, dtype=torch.float64)
    order = torch.randperm(x[0, 0].numel(), generator=torch.Generator().manual_seed(2))
    permuted = x.flatten(2)[..., order].view(shape)
    torch.testing.assert_close(block.attention_weights(permuted), block.attention_weights(x))
    torch.testing.assert_close(block(permuted).flatten(2), block(x).flatten(2)[..., order])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_channel_attention_follows_permuted_channels(shape: tuple[int, ...]) -> None:
    block, x = with_open_gates(ChannelGramAttention()), features(*shape, dtype=torch.float64)
    order = torch.randperm(shape[1], generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_parts_start_as_the_identity(shape: tuple[int, ...]) -> None:
    x = features(*shape)
    for block in (PositionAttention(16, len(shape) - 2), ChannelGramAttention()):
        torch.testing.assert_close(block(x), x, rtol=0, atol=0)
        assert_gradients_flow(with_open_gates(block), x)
        assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_affinities_sum_to_one(shape: tuple[int, ...]) -> None:
    n_voxels = features(*shape)[0, 0].numel()
    weights = DualAttention(16, len(shape) - 2).attention_weights(features(*shape))
    for affinity, n in zip((weights["position"], weights["channel"]), (n_voxels, 4), strict=True):
        assert affinity.shape == (shape[0], n, n)
        torch.testing.assert_close(affinity.sum(-1), torch.ones(shape[0], n))


def test_dual_attention_adds_what_both_branches_give() -> None:
    block, x = with_open_gates(DualAttention(16)).eval(), features(*SHAPES[1])
    assert isinstance(block, DualAttention)
    both = block.position(x) + block.channel(x)
    torch.testing.assert_close(block(x), x + block.output(both))


def test_dual_attention_has_the_parameters_of_its_parts() -> None:
    channel = 64 * 16 * 27 + 2 * 16 + 1 + 16 * 16 * 27 + 2 * 16
    projections = 2 * (16 * 2 + 2) + 16 * 16 + 16
    n_parameters = sum(p.numel() for p in DualAttention(64).parameters())
    assert n_parameters == 2 * channel + projections + 16 * 64 + 64


@pytest.mark.parametrize("block", [PositionAttention, DualAttention])
@pytest.mark.parametrize(("options", "message"), [({"spatial_dims": 1}, "got 1"), ({"scale": "n"}, "got 'n'")], ids=str)
def test_rejects_unknown_options(block: type, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block(8, **options)
