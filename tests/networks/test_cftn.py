"""CFTN and its blocks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks.utils import pixelshuffle
from torch.nn import functional as F  # noqa: N812

from mri_attention.networks.blocks import (
    CrossScaleTransformer,
    MutualProjection,
    ResidualChannelAttentionBlock,
    SpatialAttentionFusion,
    SubpixelVolume,
)
from mri_attention.networks.nets import CFTN, Interpolation
from mri_attention.operators import resample_spline
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SMALL = {"channels": 8, "n_blocks": 3, "reduction": 4}
PRINTED = {"value_channels": 4, "overlap": "none"}
VARIANTS = [(), (0,), (1,), (3,), (0, 1), (1, 3), (0, 3), (0, 1, 3)]


def cftn(**options: Any) -> CFTN:
    torch.manual_seed(0)
    return CFTN(**{**SMALL, "projections": (1,), **options})


@pytest.mark.parametrize(
    ("projections", "n_parameters", "mib"),
    [
        ((), 2_371_327, 9.06),
        ((5,), 3_495_974, 13.35),
        ((1,), 3_495_974, 13.35),
        ((9,), 3_495_974, 13.35),
        ((1, 5), 4_620_566, 17.63),
        ((1, 9), 4_620_566, 17.63),
        ((5, 9), 4_620_566, 17.63),
        ((1, 5, 9), 5_745_158, 21.93),
    ],
)
def test_has_the_size_of_table_2(projections: tuple[int, ...], n_parameters: int, mib: float) -> None:
    """The table's M as MiB of single precision, of which a file's names take up to 0.02."""
    with torch.device("meta"):
        network = CFTN(projections=projections)
    assert sum(p.numel() for p in network.parameters()) == n_parameters
    assert mib - 0.021 < 4 * n_parameters / 2**20 < mib


def test_narrow_values_take_the_size_of_table_2_too() -> None:
    """Value and its widening have 24 parameters more than a value of full width."""
    with torch.device("meta"):
        narrow = CFTN(attention_options={"value_channels": 24, "overlap": "none"})
    assert sum(p.numel() for p in narrow.parameters()) == 3_495_974 + 24


@pytest.mark.parametrize("projections", VARIANTS, ids=str)
def test_magnifies_any_size_at_any_set_of_projections(projections: tuple[int, ...]) -> None:
    network, x = cftn(projections=projections), features(2, 1, 5, 4, 6)
    assert network(x).shape == (2, 1, 10, 8, 12)
    assert_deterministic_in_eval(network, x)


@pytest.mark.parametrize(
    "options",
    [{"scale": 3}, {"projections": (0, 3)}, {"spatial_fusion": False}, {"attention_options": PRINTED}],
    ids=str,
)
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    network, x = cftn(**options), features(1, 1, 12, 6, 7)
    assert network(x).shape[2:] == tuple(options.get("scale", 2) * n for n in x.shape[2:])
    assert_gradients_flow(network, x)


def test_magnifies_thick_slices_alone() -> None:
    network, x = cftn(scale=[1, 1, 3], projections=(), interpolation="spline"), features(2, 1, 5, 4, 6)
    assert network(x).shape == (2, 1, 5, 4, 18)
    assert_gradients_flow(network, x)
    for parameter in network.tail.parameters():
        torch.nn.init.zeros_(parameter)
    torch.testing.assert_close(network(x), resample_spline(x, (5, 4, 18)))


def test_channels_become_voxels_as_in_monai() -> None:
    torch.manual_seed(0)
    block, x = SubpixelVolume(3, 4, (2, 2, 2)), features(2, 3, 3, 4, 5)
    torch.testing.assert_close(block(x), pixelshuffle(block.conv_block(x), 3, 2))
    uneven = SubpixelVolume(3, 4, (1, 2, 3))
    found, channels = uneven(x), uneven.conv_block(x)
    assert found.shape == (2, 4, 3, 8, 15)
    torch.testing.assert_close(found[:, 1, :, 1::2, 2::3], channels[:, 6 + 5])


def test_no_projection_needs_no_spatial_fusion() -> None:
    assert cftn(projections=()).fine_fusion is None
    assert cftn(spatial_fusion=False).fine_fusion is None


def test_adds_to_the_interpolated_input() -> None:
    network, x = cftn(interpolation="spline"), features(1, 1, 5, 4, 6)
    for parameter in network.tail.parameters():
        torch.nn.init.zeros_(parameter)
    torch.testing.assert_close(network(x), Interpolation(2, "spline")(x))


def test_runs_under_autocast() -> None:
    network, x = cftn(), features(1, 1, 5, 4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        y = network(x)
    torch.testing.assert_close(y.float(), network(x), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("path", ["literal", "streamed"])
def test_paths_agree(path: str) -> None:
    x = features(1, 1, 7, 8, 9)
    torch.testing.assert_close(cftn(attention_options={"path": path})(x), cftn()(x), rtol=0, atol=1e-5)


def test_overlapping_patches_are_added_up_as_printed() -> None:
    """By the number of patches at each voxel more than their average."""
    x = features(1, 8, 5, 6, 7)
    torch.manual_seed(0)
    averaged = CrossScaleTransformer(8, scale=2)
    torch.manual_seed(0)
    summed = CrossScaleTransformer(8, scale=2, overlap="none")
    counts = summed(x) / averaged(x)
    torch.testing.assert_close(counts, counts.round(), rtol=1e-3, atol=1e-3)
    assert set(counts.round().unique().tolist()) == {1.0, 2.0, 4.0, 8.0}


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_mutual_projection_adds_attention_to_the_magnified_features(spatial_dims: int) -> None:
    torch.manual_seed(0)
    block, x = MutualProjection(6, spatial_dims, scale=3), features(2, 6, *[7, 5, 6][:spatial_dims])
    coarse, fine = block(x)
    assert coarse.shape == x.shape
    torch.testing.assert_close(fine, block.up(x) + block.attention(x))
    torch.testing.assert_close(coarse, block.down(fine))
    assert block.attention_weights(x).shape[0] == 2


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_residual_block_adds_weighted_channels(spatial_dims: int) -> None:
    torch.manual_seed(0)
    block, x = ResidualChannelAttentionBlock(8, spatial_dims, reduction=4), features(2, 8, *[5, 4, 3][:spatial_dims])
    conv = F.conv2d if spatial_dims == 2 else F.conv3d
    first, _, second, _ = block.body
    y = conv(conv(x, first.weight, first.bias, padding=1).relu(), second.weight, second.bias, padding=1)
    weights = block.attention_weights(x).view(2, 8, *[1] * spatial_dims)
    torch.testing.assert_close(block(x), x + weights * y)


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_fusion_weighs_each_voxel_of_the_sum(spatial_dims: int) -> None:
    torch.manual_seed(0)
    block, x = SpatialAttentionFusion(spatial_dims), features(2, 4, *[5, 4, 3][:spatial_dims])
    weights = block.attention_weights(x, x.flip(0))
    assert weights.shape == (2, 1, *x.shape[2:])
    assert ((weights > 0) & (weights < 1)).all()
    torch.testing.assert_close(block(x, x.flip(0)), weights * (x + x.flip(0)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 4}, "scale must be 2 or 3, got 4"),
        ({"scale": (1, 1)}, r"scale must be three numbers from 1 to 3, .* got \(1, 1\)"),
        ({"scale": (1, 1, 1)}, "not all of them 1"),
        ({"scale": (1, 1, 3)}, "cross-scale attention has one scale for all axes"),
        ({"projections": (1, 1)}, r"from 0 to 3, got \(1, 1\)"),
        ({"projections": (4,)}, r"from 0 to 3, got \(4,\)"),
        ({"interpolation": "nearest"}, "method must be one of linear, cubic, spline, deconvolved, got 'nearest'"),
        ({"reduction": 0}, "reduction must not be below 1"),
    ],
    ids=str,
)
def test_rejects_other_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cftn(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"spatial_dims": 1}, "spatial_dims must be 2 or 3"), ({"kernel_size": 4}, "kernel_size must be odd, got 4")],
)
def test_fusion_rejects_other_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpatialAttentionFusion(**options)


def test_residual_block_and_projection_reject_other_dimensions() -> None:
    for block in (ResidualChannelAttentionBlock, MutualProjection):
        with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 1"):
            block(4, 1)
