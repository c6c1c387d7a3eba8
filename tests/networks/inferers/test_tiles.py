"""Tests of tiles and mirror images: what they give is what the whole volume gives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.inferers import HaloTiledInferer
from mri_attention.networks.nets import CFTN, Interpolation, ReCNN
from tests.helpers import features


def head(*shape: int) -> Tensor:
    """A smooth volume from 0 to 1 with dark corners, ``(1, 1, *shape)``."""
    axes = [torch.linspace(-1, 1, n) for n in shape]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    image = (1 - grid.square().sum(0)).clamp(min=0) * (1 + 0.3 * torch.sin(9 * grid).prod(0))
    return image[None, None] / image.max()


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("shape", [(25, 9, 17), (13, 31, 16)], ids=str)
def test_tiles_of_a_local_network_leave_no_seam(shape: tuple[int, ...], scale: int) -> None:
    """Three convolutions on the fine grid look 3 voxels far, less than 4 of the input; the spline fades in ten."""
    torch.manual_seed(0)
    network, x = ReCNN(scale, n_layers=3, channels=4).double(), features(1, 1, *shape, dtype=torch.float64)
    network.interpolation.method = "linear"
    with torch.no_grad():
        found = HaloTiledInferer(13, halo=4, blend=2)(x, network)
        torch.testing.assert_close(found, network(x))


@pytest.mark.parametrize(
    ("method", "halo", "error"), [("spline", 6, 1e-3), ("spline", 12, 1e-6), ("deconvolved", 6, 0.02)]
)
def test_interpolation_in_tiles_differs_by_what_is_beyond_the_halo(method: str, halo: int, error: float) -> None:
    network, x = Interpolation(2, method), features(1, 1, 48, 5, 6)  # type: ignore[arg-type]
    assert (HaloTiledInferer(30, halo, blend=4)(x, network) - network(x)).abs().max() < error


def test_cross_scale_attention_in_tiles_leaves_no_visible_seam() -> None:
    """It sees all of its input, so tile and volume differ; not more from voxel to voxel at borders than elsewhere."""
    torch.manual_seed(0)
    network = CFTN(channels=8, n_blocks=2, projections=[1], interpolation="deconvolved").eval()
    x = head(44, 12, 12)
    with torch.no_grad():
        whole, tiled = network(x), HaloTiledInferer(24, halo=6, blend=4)(x, network)
    difference = tiled - whole
    assert difference.abs().max() < 0.02 * whole.max()
    assert difference.diff(dim=2).abs().max() < 0.25 * whole.diff(dim=2).abs().max()


def test_small_volumes_go_through_in_one_pass() -> None:
    calls = []

    def network(x: Tensor) -> Tensor:
        calls.append(tuple(x.shape[2:]))
        return x

    HaloTiledInferer(16, halo=2, blend=2)(features(1, 1, 16, 9, 4), network)
    HaloTiledInferer(16, halo=2, blend=2, max_voxels=1000)(features(1, 1, 40, 5, 5), network)
    assert calls == [(16, 9, 4), (40, 5, 5)]


def test_constant_stays_constant() -> None:
    x = torch.full((1, 1, 40, 20, 20), 0.4)
    found = HaloTiledInferer(16, halo=4, blend=2)(x, Interpolation(3, "linear"))
    torch.testing.assert_close(found, torch.full((1, 1, 120, 60, 60), 0.4))


@pytest.mark.parametrize("options", [{"tile_size": 12, "halo": 4, "blend": 4}, {"halo": -1}, {"max_voxels": -1}])
def test_tiles_must_be_larger_than_their_halo(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="tile_size must be more than twice the halo"):
        HaloTiledInferer(**options)
