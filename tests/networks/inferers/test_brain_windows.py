"""Tests of networks.inferers.brain_windows."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer
from torch import Tensor, nn

from mri_attention.networks.inferers import BrainWindowInferer
from mri_attention.networks.inferers.brain_windows import even_overlap, fitted_size, n_windows


class Counter(nn.Module):
    """Two convolutions with group normalization, which sees the whole window, that remember what they were asked."""

    def __init__(self, out_channels: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv3d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv3d(8, out_channels, 3, padding=1)
        )
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.shapes.append(tuple(x.shape))
        assert all(window.any() for window in x) or len(x) == 1
        y: Tensor = self.layers(x)
        return y

    @property
    def n_windows(self) -> int:
        return sum(shape[0] for shape in self.shapes)


def image(*spatial: int) -> Tensor:
    return torch.randn(1, 3, *spatial, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spatial", [(32, 44, 16), (20, 30, 40), (16, 16, 16), (10, 17, 31)])
@torch.no_grad()
def test_equals_monai_where_nothing_is_empty(spatial: tuple[int, ...]) -> None:
    network, x = Counter(), image(*spatial)
    overlaps = [even_overlap(n, 16, 0.25) for n in spatial]
    expected = SlidingWindowInferer(16, 1, overlaps, "gaussian")(x, network)
    torch.testing.assert_close(BrainWindowInferer(16, 0.25)(x, network), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_brain_gets_the_same_where_windows_are_passed_by() -> None:
    network, x = Counter(), image(64, 32, 32)
    x[:, :, :30] = 0
    expected = SlidingWindowInferer(16, 1, 0.0, "gaussian")(x, network)
    asked = network.n_windows
    found = BrainWindowInferer(16, 0.0)(x, network)
    assert asked == 16
    assert network.n_windows - asked == 12 + 1  # one tells how many channels there are
    torch.testing.assert_close(found[:, :, 16:], expected[:, :, 16:], rtol=1e-5, atol=1e-6)
    assert found[:, :, :16].softmax(1)[:, 1].max() < 1e-8


@torch.no_grad()
def test_an_empty_image_is_background() -> None:
    network = Counter()
    found = BrainWindowInferer(16)(torch.zeros(1, 3, 40, 40, 40), network)
    assert network.n_windows == 1
    assert found.softmax(1)[:, 1].max() < 1e-8


@torch.no_grad()
def test_a_single_channel_is_background_by_its_sigmoid() -> None:
    assert BrainWindowInferer(16)(torch.zeros(1, 3, 40, 16, 16), Counter(1)).sigmoid().max() < 1e-4


@torch.no_grad()
def test_each_image_of_a_batch_counts_for_itself() -> None:
    network = Counter()
    x = torch.cat([image(32, 16, 16), torch.zeros(1, 3, 32, 16, 16)])
    found = BrainWindowInferer(16, 0.0, batch_size=3)(x, network)
    expected = SlidingWindowInferer(16, 1, 0.0, "gaussian")(x[:1], network)
    torch.testing.assert_close(found[:1], expected, rtol=1e-5, atol=1e-6)
    assert found[1:].softmax(1)[:, 1].max() < 1e-8


@torch.no_grad()
def test_metadata_stay() -> None:
    affine = torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0], dtype=torch.float64))
    x = MetaTensor(image(20, 20, 20), affine=affine)
    found = BrainWindowInferer(16)(x, Counter())
    assert isinstance(found, MetaTensor)
    assert torch.equal(found.affine, affine)


@pytest.mark.parametrize(("n", "size", "overlap", "count"), [(144, 64, 0.25, 3), (176, 64, 0.125, 3), (64, 64, 0.5, 1)])
def test_windows_are_few(n: int, size: int, overlap: float, count: int) -> None:
    assert n_windows(n, size, overlap) == count


@pytest.mark.parametrize("n", range(65, 300, 7))
def test_windows_lie_at_equal_distances(n: int) -> None:
    overlap = even_overlap(n, 64, 0.25)
    interval, count = int(64 * (1 - overlap)), n_windows(n, 64, 0.25)
    assert interval <= 48
    starts = [min(i * interval, n - 64) for i in range(count)]
    distances = {b - a for a, b in pairwise(starts)}
    assert starts[-1] == n - 64
    assert max(distances) - min(distances) < count


def test_a_window_grows_where_that_saves_voxels() -> None:
    assert fitted_size(144, 64, 0.125, 1.5) == 80  # 2 x 80 and not 3 x 64
    assert fitted_size(176, 64, 0.125, 1.5) == 64  # 3 x 64 as well as 2 x 96
    assert fitted_size(144, 64, 0.125, 1.0) == 64


@torch.no_grad()
def test_the_whole_image_may_be_one_window() -> None:
    network, x = Counter(), image(20, 16, 24)
    torch.testing.assert_close(BrainWindowInferer(-1, growth=1.25)(x, network), network(x), rtol=1e-5, atol=1e-6)
    assert network.n_windows == 2


def test_windows_do_not_shrink() -> None:
    with pytest.raises(ValueError, match=r"growth must be at least 1, got 0.5"):
        BrainWindowInferer(16, growth=0.5)
