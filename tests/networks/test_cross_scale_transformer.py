"""The cross-scale transformer as a module."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mri_attention.networks.blocks import CrossScaleTransformer
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SHAPES = [(2, 6, 7, 5), (1, 6, 6, 5, 7), (2, 6, 4, 4, 4), (1, 6, 1, 3, 2)]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"scale": 3, "downsampling": "antialiased"},
    {"downsampling": "linear", "activation": "prelu", "stride": 1},
    {"padding": "replicate", "window": 1},
]


def transformer(shape: tuple[int, ...], **options: Any) -> CrossScaleTransformer:
    torch.manual_seed(0)
    return CrossScaleTransformer(shape[1], len(shape) - 2, **options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_magnifies_any_size(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    block, x = transformer(shape, **options), features(*shape)
    assert block(x).shape == (*shape[:2], *(options.get("scale", 2) * n for n in shape[2:]))
    assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize("path", ["literal", "streamed"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_reach_every_parameter(options: dict[str, Any], path: str) -> None:
    """Biases of keys move all logits of a query alike, but for zeros around the coarse copy."""
    block = transformer((1, 6, 12, 8, 8), **options, path=path)
    assert_gradients_flow(block, features(2, 6, 12, 8, 8))


@pytest.mark.parametrize("downsampling", ["cubic", "antialiased", "linear"])
@pytest.mark.parametrize("size", [(8, 7, 6), (5, 9)], ids=str)
def test_constant_image_stays_constant(size: tuple[int, ...], downsampling: str) -> None:
    block = transformer((1, 6, *size), padding="replicate", downsampling=downsampling)
    y = block(torch.full((1, 6, *size), 0.7))
    torch.testing.assert_close(y, y[..., :1, :1].expand_as(y) if len(size) == 2 else y[..., :1, :1, :1].expand_as(y))


def test_mixes_values_by_its_affinities() -> None:
    """Without activation and overlap, values are weighted sums: at most the largest of them."""
    block, x = transformer((1, 6, 8, 8)), features(1, 6, 8, 8)
    weights = block.attention_weights(x)
    assert weights.shape == (1, 16, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 16))
    assert block(x).abs().max() <= block.value(x).abs().max() + 1e-6


def test_scaling_the_values_scales_the_result() -> None:
    block, x = transformer((1, 6, 6, 6, 6)), features(1, 6, 6, 6, 6)
    before = block(x)
    with torch.no_grad():
        block.value.weight.mul_(2)
        block.value.bias.mul_(2)
    torch.testing.assert_close(block(x), 2 * before)


def test_runs_under_autocast() -> None:
    block, x = transformer((1, 6, 6, 5, 7)), features(1, 6, 6, 5, 7)
    with torch.autocast("cpu", torch.bfloat16):
        y = block(x)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, block(x), rtol=0.05, atol=0.05)


def test_has_the_parameters_of_its_embeddings() -> None:
    with torch.device("meta"):
        block = CrossScaleTransformer(48)
    assert sum(p.numel() for p in block.parameters()) == 2 * (48 * 24 + 24) + 48 * 48 + 48


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"downsampling": "nearest"}, "downsampling must be one of .*, got 'nearest'"),
        ({"scale": 1}, "scale must not be below 2"),
    ],
    ids=str,
)
def test_rejects_other_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CrossScaleTransformer(4, **options)
