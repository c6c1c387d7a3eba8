"""Tests of losses.regularized_l1."""

import pytest
import torch
from torch import nn

from mri_attention.losses import RegularizedL1Loss
from tests.helpers import features


def test_is_the_mean_error_plus_the_norm_of_all_weights() -> None:
    network, (x, y) = nn.Conv3d(1, 3, 3), features(2, 1, 1, 4, 4, 4)
    theta = torch.cat([p.flatten() for p in network.parameters()])
    expected = (x - y).abs().mean() + 0.01 * theta.square().sum().sqrt()
    torch.testing.assert_close(RegularizedL1Loss(network, 0.01)(x, y), expected)


def test_gradient_pulls_weights_to_zero() -> None:
    network, x = nn.Linear(3, 2), features(4, 2)
    RegularizedL1Loss(network, 0.5)(x, x).backward()
    norm = sum(p.detach().square().sum() for p in network.parameters()) ** 0.5
    torch.testing.assert_close(network.weight.grad, 0.5 * network.weight.detach() / norm)


def test_zero_weights_have_a_finite_gradient_and_frozen_ones_do_not_count() -> None:
    network, x = nn.Linear(3, 2), features(4, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    RegularizedL1Loss(network)(x, x).backward()
    assert network.weight.grad is not None
    assert network.weight.grad.isfinite().all()
    network.requires_grad_(False)
    assert RegularizedL1Loss(network)(x, x + 1) == 1


def test_does_not_own_the_network() -> None:
    loss = RegularizedL1Loss(nn.Linear(3, 2))
    assert not list(loss.parameters())
    assert not loss.state_dict()


def test_rejects_a_negative_weight() -> None:
    with pytest.raises(ValueError, match="weight must not be negative, got -1"):
        RegularizedL1Loss(nn.Linear(3, 2), -1)
