"""Tests of SelfEnsembleInferer."""

import itertools

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from mri_attention.networks.inferers import SelfEnsembleInferer
from tests.helpers import features


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv3d(1, 1, 3, padding=1).double().requires_grad_(False)


@pytest.fixture
def x() -> Tensor:
    return features(1, 1, 5, 4, 3, dtype=torch.float64)


def test_commutes_with_mirrors(network: nn.Module, x: Tensor) -> None:
    ensemble = SelfEnsembleInferer(SimpleInferer())
    expected = ensemble(x, network)
    for axes in itertools.combinations((2, 3, 4), 2):
        torch.testing.assert_close(ensemble(x.flip(axes), network).flip(axes), expected)
    assert not torch.allclose(expected, network(x))


def test_along_one_axis_is_the_mean_of_two(network: nn.Module, x: Tensor) -> None:
    expected = (network(x) + network(x.flip(3)).flip(3)) / 2
    torch.testing.assert_close(SelfEnsembleInferer(SimpleInferer(), axes=[1])(x, network), expected)


@pytest.mark.parametrize("options", [{"enabled": False}, {"axes": []}], ids=["off", "no axis"])
def test_leaves_the_inferer_as_it_is(options: dict[str, bool | list[int]], network: nn.Module, x: Tensor) -> None:
    torch.testing.assert_close(SelfEnsembleInferer(SimpleInferer(), **options)(x, network), network(x))


@pytest.mark.parametrize("axes", [[-1], [0, 0], [3]], ids=str)
def test_refuses_what_is_no_axis(axes: list[int], network: nn.Module, x: Tensor) -> None:
    with pytest.raises(ValueError, match="axes must be"):
        SelfEnsembleInferer(SimpleInferer(), axes=axes)(x, network)
