"""Tests of networks.nets.two_contrast."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.nets import TwoContrastNetwork
from mri_attention.operators import lower_resolution, truncate_kspace
from tests.helpers import features


class Recorder(nn.Module):
    """Keep what comes, give back the guide."""

    def forward(self, low: Tensor, guide: Tensor) -> Tensor:
        self.low, self.guide = low, guide
        return guide


@pytest.mark.parametrize("stride", [2, 4])
def test_a_coarse_network_gets_the_image_of_low_resolution(stride: int) -> None:
    truth = features(1, 1, 16, 24).abs()
    recorder = Recorder()
    TwoContrastNetwork(recorder, stride)(torch.cat([lower_resolution(truth, stride), truth], 1))
    torch.testing.assert_close(recorder.low, truncate_kspace(truth, (16 // stride, 24 // stride)).abs())
    torch.testing.assert_close(recorder.guide, truth)


def test_any_size_fits_any_stride() -> None:
    x = features(1, 2, 17, 22)
    recorder = Recorder()
    assert TwoContrastNetwork(recorder, 4)(x).shape == (1, 1, 17, 22)
    assert recorder.low.shape == (1, 1, 5, 6)


def test_residual_is_added_to_the_target_alone() -> None:
    class Zeros(nn.Module):
        def forward(self, low: Tensor, guide: Tensor) -> Tensor:
            return torch.zeros_like(torch.cat([low, guide], 1))

    x = features(1, 2, 6, 7)
    out = TwoContrastNetwork(Zeros(), is_residual=True)(x)
    torch.testing.assert_close(out[:, :1], x[:, :1])
    assert not out[:, 1:].any()


def test_joint_networks_get_both_images_coarse_and_add_both() -> None:
    x, recorder = features(1, 2, 8, 12), Recorder()
    TwoContrastNetwork(recorder, 2, is_joint=True)(x)
    torch.testing.assert_close(torch.cat([recorder.low, recorder.guide], 1), x[..., ::2, ::2])

    class Zeros(nn.Module):
        def forward(self, low: Tensor, guide: Tensor) -> Tensor:
            return torch.zeros_like(torch.cat([low, guide], 1))

    torch.testing.assert_close(TwoContrastNetwork(Zeros(), is_residual=True, is_joint=True)(x), x)


def test_with_heads_at_zero_training_starts_from_the_image_that_is_added() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 1, 3, padding=1))
    x = features(1, 2, 6, 7)
    wrapped = TwoContrastNetwork(network, is_guided=False, is_residual=True, heads=["1"])
    torch.testing.assert_close(wrapped(x), x[:, :1], rtol=0, atol=0)
    wrapped(x).square().sum().backward()
    assert network[1].weight.grad.any()
    with pytest.raises(AttributeError, match="has no attribute `head`"):
        TwoContrastNetwork(network, heads=["head"])


def test_rejects_other_strides_and_channels() -> None:
    with pytest.raises(ValueError, match="stride must not be below 1"):
        TwoContrastNetwork(nn.Identity(), 0)
    with pytest.raises(ValueError, match="x must have two channels"):
        TwoContrastNetwork(nn.Identity())(torch.zeros(1, 1, 4, 4))
