import pytest
import torch

from mri_attention.networks.blocks import ChannelSpatialConvolution, MultiStageIntegration
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SHAPES = [(2, 3, 4, 5, 7), (2, 3, 4, 3, 4, 5)]


def attended(x: torch.Tensor, sign: float) -> torch.Tensor:
    """Loop over the stages of one sample."""
    energy = torch.tensor([[float((a * b).sum()) for b in x] for a in x])
    return torch.stack([sum(w * b for w, b in zip((sign * row).softmax(0), x, strict=True)) for row in energy])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("form", "sign", "gamma"), [("han", -1.0, 0.3), ("paper", 1.0, 1.0)])
def test_equals_a_loop_over_stages(form: str, sign: float, gamma: float, shape: tuple[int, ...]) -> None:
    block, x = MultiStageIntegration(form), 0.1 * features(*shape)
    if form == "han":
        torch.nn.init.constant_(block.gamma, gamma)
    expected = torch.stack([sample + gamma * attended(sample, sign) for sample in x])
    torch.testing.assert_close(block(x), expected)
    torch.testing.assert_close(block.attention_weights(x).sum(2), torch.ones(2, 3))


def test_forms_prefer_opposite_stages() -> None:
    x = torch.stack([features(1, 4, 5, 7), features(1, 4, 5, 7), -features(1, 4, 5, 7)], 1)
    similar, opposite = (MultiStageIntegration(form).attention_weights(x)[0, 0] for form in ("paper", "han"))
    torch.testing.assert_close(similar, torch.tensor([0.5, 0.5, 0.0]))
    torch.testing.assert_close(opposite, torch.tensor([0.0, 0.0, 1.0]))


def test_order_of_stages_does_not_matter() -> None:
    block, x = MultiStageIntegration("paper"), 0.1 * features(2, 3, 4, 5, 7)
    torch.testing.assert_close(block(x.flip(1)), block(x).flip(1))


def test_starts_as_the_identity_in_the_form_of_the_code() -> None:
    x = features(2, 3, 4, 5, 7)
    torch.testing.assert_close(MultiStageIntegration()(x), x, rtol=0, atol=0)


def test_integration_reaches_its_parameter() -> None:
    block, x = with_open_gates(MultiStageIntegration()), features(2, 3, 4, 5, 7)
    assert_gradients_flow(block, x)
    assert_deterministic_in_eval(block, x)


def test_rejects_unknown_form() -> None:
    with pytest.raises(ValueError, match="got 'sum'"):
        MultiStageIntegration("sum")


@pytest.mark.parametrize("shape", [(2, 8, 5, 7), (1, 3, 1, 2)], ids=str)
def test_channel_spatial_weights_scale_each_element(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    block, x = ChannelSpatialConvolution(0.5), features(*shape)
    weights = block.attention_weights(x)
    assert weights.shape == shape
    assert 0 < weights.min() < weights.max() < 1
    torch.testing.assert_close(block(x), x * (1 + 0.5 * weights))
    assert_gradients_flow(block, x)
    assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize("n_channels", [1, 2, 8])
def test_channel_spatial_weights_are_those_of_a_convolution_in_3d(n_channels: int) -> None:
    torch.manual_seed(0)
    block, x = ChannelSpatialConvolution(), features(2, n_channels, 5, 7).requires_grad_()
    expected, found = block.conv(x[:, None])[:, 0].sigmoid(), block.attention_weights(x)
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), [x, *block.conv.parameters()]),
        torch.autograd.grad(expected.square().sum(), [x, *block.conv.parameters()]),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_channel_spatial_weights_move_with_the_channels() -> None:
    """The kernel is the same along all channels, but for the border."""
    block, x = ChannelSpatialConvolution(), features(2, 8, 5, 7)
    weights, rolled = block.attention_weights(x), block.attention_weights(x.roll(1, 1))
    torch.testing.assert_close(rolled[:, 2:-1], weights[:, 1:-2])


def test_channel_spatial_attention_starts_as_the_identity() -> None:
    x = features(2, 8, 5, 7)
    torch.testing.assert_close(ChannelSpatialConvolution()(x), x, rtol=0, atol=0)
    assert sum(p.numel() for p in ChannelSpatialConvolution().parameters()) == 29


def test_channel_spatial_attention_rejects_volumes() -> None:
    with pytest.raises(ValueError, match=r"x must have the shape \(b, c, h, w\), got \[1, 2, 3, 4, 5\]"):
        ChannelSpatialConvolution()(features(1, 2, 3, 4, 5))
