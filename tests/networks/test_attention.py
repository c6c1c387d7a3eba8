import pytest
import torch

from mri_attention.networks.blocks import ATTENTION, build_attention


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("name", ATTENTION.names)
def test_every_block_keeps_shape(name: str, spatial_dims: int) -> None:
    x = torch.randn(2, 8, *(5, 6, 7)[:spatial_dims])
    assert build_attention(name, 8, spatial_dims)(x).shape == x.shape


def test_none_returns_its_input() -> None:
    x = torch.randn(1, 8, 3, 3, 3)
    assert build_attention("none", 8, 3)(x) is x


def test_passes_options_on() -> None:
    assert build_attention("folded", 8, 3, scale="sqrt").scale == "sqrt"


def test_rejects_unknown_name_and_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown attention 'foldde', known are: none, folded"):
        build_attention("foldde", 8, 3)
