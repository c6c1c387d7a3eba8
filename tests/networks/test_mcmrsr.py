"""Tests of McMRSR and its blocks."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import ContextualMatching, ResidualAggregation, SpatialAdaptation, SwinGroup
from mri_attention.networks.nets import McMRSR
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SMALL: dict[str, Any] = {"width": 4, "depths": (2,), "n_heads": (2,)}


def small(**options: Any) -> McMRSR:
    torch.manual_seed(0)
    return McMRSR(**(SMALL | options))


def pair(scale: int, height: int, width: int, is_complex: bool = False) -> tuple[Tensor, Tensor]:
    dtype = torch.complex64 if is_complex else torch.float32
    generator = torch.Generator().manual_seed(0)
    sizes = ((height, width), (scale * height, scale * width))
    low, high = (torch.randn(1, 1, *size, dtype=dtype, generator=generator) for size in sizes)
    return low, high


@pytest.mark.parametrize(("scale", "n_parameters"), [(4, 3_177_362), (2, 2_885_222)])
def test_has_the_parameters_that_the_original_uses(scale: int, n_parameters: int) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in McMRSR(scale).parameters()) == n_parameters


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("is_complex", [False, True])
def test_output_is_on_the_fine_grid(scale: int, is_complex: bool) -> None:
    network = small(scale=scale, is_complex=is_complex).eval()
    image = network(*pair(scale, 9, 17, is_complex))
    assert image.shape == (1, 1, 9 * scale, 17 * scale)
    assert image.is_complex() == is_complex


@pytest.mark.parametrize("scale", [2, 4])
def test_gradients_reach_every_parameter(scale: int) -> None:
    network = with_open_gates(small(scale=scale, is_complex=False))
    inputs = pair(scale, 16, 16)
    assert_gradients_flow(network, *inputs)
    assert_deterministic_in_eval(network, *inputs)


@pytest.mark.parametrize(("grid", "shift"), [("edges", -0.25), ("first_voxel", 0.0)])
def test_grids_share_what_they_say(grid: str, shift: float) -> None:
    """Pixel i of the finer grid lies at ``i / 2`` of the coarse one where first pixels share their center."""
    line = torch.arange(6.0).expand(1, 4, 6, 6)
    enlarged = small(grid=grid)._enlarge(line)
    assert enlarged.shape == (1, 4, 12, 12)
    torch.testing.assert_close(enlarged[..., 1:-1], (torch.arange(1.0, 11.0) / 2 + shift).expand(1, 4, 12, 10))


def test_coarse_guide_is_the_truncated_one() -> None:
    """Of an image without high frequencies, truncation keeps every second pixel."""
    network = small(scale=2, is_complex=False).eval()
    low, _ = pair(2, 16, 16)
    rows, columns = torch.meshgrid(torch.arange(32) * torch.pi / 16, torch.arange(32) * torch.pi / 16, indexing="ij")
    guide = (torch.cos(3 * rows) + torch.sin(2 * columns))[None, None]
    torch.testing.assert_close(network(low, guide), network(low, guide, guide[..., ::2, ::2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 4, 16, 24), (1, 4, 9, 13), (1, 4, 5, 17)], ids=str)
def test_transformer_keeps_any_shape(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    group, x = with_open_gates(SwinGroup(4, depths=(2, 1), n_heads=(2, 1))), features(*shape)
    assert group(x).shape == shape
    assert_gradients_flow(group, x)
    assert_deterministic_in_eval(group, x)


def test_transformer_of_plain_windows_commutes_with_their_shifts() -> None:
    torch.manual_seed(0)
    group, x = SwinGroup(4, depths=(1,), n_heads=(1,)).eval(), features(1, 4, 40, 8)
    torch.testing.assert_close(group(x.roll(8, 2))[:, :, 12:-12], group(x).roll(8, 2)[:, :, 12:-12])


@pytest.mark.parametrize("options", [{"depths": (1, 1), "n_heads": (1,)}, {"depths": (1,), "n_heads": (3,)}], ids=str)
def test_transformer_rejects_heads(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="n_heads must be as many as depths and divide in_channels=4"):
        SwinGroup(4, **options)


@pytest.mark.parametrize("shape", [(2, 3, 16, 24), (1, 5, 32, 16)], ids=str)
def test_matching_with_itself_gives_the_features_back(shape: tuple[int, ...]) -> None:
    """Every inner patch is most like itself."""
    x = features(*shape)
    coarse, fine = ContextualMatching()(x, x, [x, x.repeat_interleave(2, 2).repeat_interleave(2, 3)])
    torch.testing.assert_close(coarse[..., 2:-2, 2:-2], x[..., 2:-2, 2:-2])
    torch.testing.assert_close(fine[..., 4:-4:2, 4:-4:2], x[..., 2:-2, 2:-2])


def test_matching_finds_what_moved() -> None:
    x = features(1, 6, 16, 16)
    (found,) = ContextualMatching()(x, x.roll((2, -1), (2, 3)), [x.roll((2, -1), (2, 3))])
    torch.testing.assert_close(found[..., 4:12, 4:12], x[..., 4:12, 4:12])


@pytest.mark.parametrize("block_size", [2, 7])
def test_matching_rejects_block_sizes(block_size: int) -> None:
    with pytest.raises(ValueError, match=f"block_size must be even and at least 4, got {block_size}"):
        ContextualMatching(block_size)


@pytest.mark.parametrize(
    ("size", "message"),
    [((16, 20), "block_size must divide the size of x"), ((8, 16), "context must have 15 pixels an axis")],
    ids=str,
)
def test_matching_rejects_sizes(size: tuple[int, int], message: str) -> None:
    x = features(1, 2, *size)
    with pytest.raises(ValueError, match=message):
        ContextualMatching()(x, x, [x])


def test_adaptation_gives_the_guide_the_statistics_of_the_target() -> None:
    x, context = 3 + 2 * features(2, 4, 9, 11), 5 * features(2, 4, 9, 11).flip(2) - 1
    adapted = SpatialAdaptation(4)(x, context)
    for statistic in (torch.mean, torch.std):
        torch.testing.assert_close(statistic(adapted, (2, 3)), statistic(x, (2, 3)), rtol=0.01, atol=0.01)
    block = with_open_gates(SpatialAdaptation(4))
    assert_gradients_flow(block, x, context)
    assert_deterministic_in_eval(block, x, context)


@pytest.mark.parametrize("scale", [1, 2])
def test_aggregation_has_the_grid_of_the_guide(scale: int) -> None:
    torch.manual_seed(0)
    block, x, context = ResidualAggregation(4, scale), features(2, 4, 5, 7), features(2, 4, 5 * scale, 7 * scale)
    assert block(x, context).shape == context.shape
    assert block(x, context).min() >= 0
    assert_gradients_flow(block, x, context)
    assert_deterministic_in_eval(block, x, context)


def test_aggregation_rejects_other_scales() -> None:
    with pytest.raises(ValueError, match="scale must be 1 or 2, got 4"):
        ResidualAggregation(4, 4)


def test_rejects_other_scales() -> None:
    with pytest.raises(ValueError, match="scale must be 2 or 4, got 3"):
        McMRSR(3)
    with pytest.raises(ValueError, match='grid must be "edges" or "first_voxel", got \'center\''):
        McMRSR(grid="center")  # type: ignore[arg-type]


def test_rejects_guides_of_other_sizes() -> None:
    with pytest.raises(ValueError, match=r"auxiliary must have the size \(32, 32\), got \(16, 16\)"):
        small(scale=2)(features(1, 1, 16, 16), features(1, 1, 16, 16))


@pytest.mark.parametrize(("is_complex", "kind"), [(True, "complex"), (False, "real")])
def test_rejects_images_of_the_other_kind(is_complex: bool, kind: str) -> None:
    with pytest.raises(ValueError, match=f"images must be {kind}"):
        small(scale=2, is_complex=is_complex)(*pair(2, 16, 16, not is_complex))
