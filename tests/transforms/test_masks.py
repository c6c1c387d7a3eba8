"""Tests of transforms.masks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from monai.apps.reconstruction.transforms.array import EquispacedKspaceMask, RandomKspaceMask

from mri_attention.transforms.masks import MASKS as MASK_NAMES
from mri_attention.transforms.masks import (
    EquispacedMask,
    GaussianMask,
    KspaceMask,
    PoissonDiskMask,
    RadialMask,
    RandomMask,
    SpiralMask,
    UniformMask,
    mask_by_name,
    mask_mixture,
)
from mri_attention.transforms.masks.kspace_mask import center_ellipse

Make = Callable[..., KspaceMask]
COLUMNS: list[Make] = [RandomMask, UniformMask, EquispacedMask]
GRIDS: list[Make] = [RadialMask, SpiralMask, GaussianMask, PoissonDiskMask]
MASKS = COLUMNS + GRIDS


@pytest.mark.parametrize("make", COLUMNS)
@pytest.mark.parametrize("n", [256, 320, 231])
@pytest.mark.parametrize("acceleration", [1, 1.5, 2, 3, 4, 5.5, 6, 8, 9, 12])
def test_fraction_of_columns_is_that_of_the_acceleration(make: Make, n: int, acceleration: float) -> None:
    """Within 2 %, or half a column where there are few."""
    for seed in range(3):
        mask = make(acceleration, 0.04).set_random_state(seed)
        drawn = mask((1, 20, n))
        assert drawn.shape == (1, 1, n)
        assert drawn.dtype == torch.bool
        assert abs(int(drawn.sum()) - n / acceleration) <= max(0.5, 0.02 * n / acceleration)


@pytest.mark.parametrize("make", GRIDS)
@pytest.mark.parametrize("sizes", [(64, 64), (61, 80)])
@pytest.mark.parametrize("acceleration", [1, 1.3, 3, 6, 9, 20])
def test_fraction_of_samples_is_that_of_the_acceleration(
    make: Make, sizes: tuple[int, int], acceleration: float
) -> None:
    for center_fraction in (0, 0.04):
        mask = make(acceleration, center_fraction).set_random_state(1)
        drawn = mask((1, *sizes))
        assert drawn.shape == (1, *sizes)
        assert drawn.double().mean().item() * acceleration == pytest.approx(1, rel=0.01)


def test_large_grids_too() -> None:
    for make in GRIDS:
        drawn = make(8).set_random_state(0)((1, 256, 256))
        assert drawn.double().mean().item() * 8 == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("make", COLUMNS)
def test_middle_columns_are_sampled(make: Make) -> None:
    for n, start, stop in ((256, 118, 138), (101, 47, 55)):  # round(0.08 n) columns about n // 2
        assert make(6, 0.08).set_random_state(2)((n, n))[0, start:stop].all()


@pytest.mark.parametrize("make", GRIDS)
def test_middle_of_the_grid_is_sampled(make: Make) -> None:
    mask = make(6, 0.05).set_random_state(2)((50, 60))
    assert mask[torch.from_numpy(center_ellipse((50, 60), 150))].all()
    assert mask[25, 30]


@pytest.mark.parametrize("make", MASKS)
def test_is_fixed_by_its_seed_and_draws_in_randomize_alone(make: Make) -> None:
    mask = make(5, 0.02).set_random_state(3)
    first = mask((1, 48, 48))
    assert torch.equal(mask((1, 48, 48), randomize=False), first)
    others = [mask((1, 48, 48)) for _ in range(5)]
    assert not all(torch.equal(other, first) for other in others)
    assert torch.equal(make(5, 0.02).set_random_state(3)((1, 48, 48)), first)


@pytest.mark.parametrize("make", MASKS)
def test_no_global_random_state_is_used(make: Make) -> None:
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make(5, 0.02).set_random_state(3)((40, 40))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("make", MASKS)
def test_one_draw_for_each_slice(make: Make) -> None:
    mask = make(4, 0.04, axes=(1, 2), slice_axis=3).set_random_state(0)
    drawn = mask((1, 32, 40, 5))
    assert drawn.shape == (1, 32 if make in GRIDS else 1, 40, 5)
    assert len({drawn[..., z].numpy().tobytes() for z in range(5)}) > 1
    assert all(drawn[..., z].float().mean().item() == pytest.approx(0.25, rel=0.02) for z in range(5))


def test_one_draw_for_a_volume_is_broadcast_along_the_other_axes() -> None:
    assert RandomMask(4, axes=(1, 2))((2, 32, 40, 5)).shape == (1, 1, 40, 1)
    assert RadialMask(4, axes=(1, 2))((2, 32, 40, 5)).shape == (1, 32, 40, 1)


@pytest.mark.parametrize(("make", "monai"), [(RandomMask, RandomKspaceMask), (EquispacedMask, EquispacedKspaceMask)])
@pytest.mark.parametrize("n", [256, 320, 75])
@pytest.mark.parametrize("factors", [([4], [0.08]), ([8], [0.04]), ([4, 8], [0.08, 0.04]), ([3.5], [0.1])])
def test_equals_monai_where_the_number_is_not_corrected(make: Any, monai: Any, n: int, factors: Any) -> None:
    acceleration, center_fraction = factors
    for seed in range(4):
        other = monai(center_fraction, acceleration).set_random_state(seed)
        other(torch.ones(1, 3, n, 2))
        mask = make(acceleration, center_fraction, exact=False).set_random_state(seed)
        np.testing.assert_array_equal(mask((1, 3, n)).numpy(), other.mask[..., 0].numpy() > 0)


def test_correcting_the_number_leaves_what_is_right_and_moves_little() -> None:
    shape = (1, 256)
    for seed in range(10):
        theirs = EquispacedMask(4, 0.08, exact=False).set_random_state(seed)(shape)
        ours = EquispacedMask(4, 0.08).set_random_state(seed)(shape)
        assert int(ours.sum()) == 64
        assert int(theirs.sum()) != 64 or torch.equal(ours, theirs)
        theirs = RandomMask(4, 0.08, exact=False).set_random_state(seed)(shape)
        ours = RandomMask(4, 0.08).set_random_state(seed)(shape)
        assert int((ours != theirs).sum()) == abs(int(theirs.sum()) - 64)


def test_columns_of_the_random_mask_are_equally_likely() -> None:
    mask = RandomMask(4, 0).set_random_state(0)
    counts = torch.stack([mask((1, 40))[0] for _ in range(2000)]).double().mean(0)
    assert (counts - 0.25).abs().max() < 5 * (0.25 * 0.75 / 2000) ** 0.5


def test_uniform_columns_have_the_acceleration_as_distance() -> None:
    columns = torch.nonzero(UniformMask(6, 0).set_random_state(1)((1, 240))[0])[:, 0]
    assert (columns.diff() == 6).all()


def test_radial_lines_are_symmetric_about_the_center() -> None:
    """Up to the one that is cut, and rounding."""
    mask = RadialMask(5).set_random_state(0)((1, 65, 65))[0]
    assert (mask != mask.flip(0, 1)).double().mean() < 0.01


def test_golden_lines_differ_from_uniform_ones() -> None:
    masks = [RadialMask(5, angles=angles).set_random_state(0)((64, 64)) for angles in ("uniform", "golden")]
    assert not torch.equal(*masks)


@pytest.mark.parametrize("make", [RadialMask, SpiralMask, GaussianMask, PoissonDiskMask])
def test_density_falls_off_from_the_center(make: Make) -> None:
    mask = make(6).set_random_state(0)((96, 96))
    inner = torch.from_numpy(center_ellipse((96, 96), 96 * 96 // 6))
    assert mask[inner].double().mean() > 1.15 * mask[~inner].double().mean()


@pytest.mark.parametrize("sizes", [(256, 256), (182, 218)], ids=str)
@pytest.mark.parametrize("acceleration", [3, 6, 9])
def test_spirals_sample_the_center_fully_and_ever_fewer_outwards(sizes: tuple[int, int], acceleration: int) -> None:
    """Of Nyquist's pi 8^2 samples within 8 of the center, 95 % and more; the fraction is that of the acceleration."""
    mask = SpiralMask(acceleration).set_random_state(0)(sizes)
    y, x = torch.meshgrid(*(torch.arange(n) - n // 2 for n in sizes), indexing="ij")
    radius = (y**2 + x**2).double().sqrt()
    assert mask[radius <= 8].sum() >= 0.95 * math.pi * 8**2
    assert int(mask.sum()) == round(sizes[0] * sizes[1] / acceleration)
    limits = [0, 20, 40, 60, min(sizes) / 2]
    rings = [mask[(radius > a) & (radius <= b)].double().mean() for a, b in itertools.pairwise(limits)]
    assert rings == sorted(rings, reverse=True)


def test_poisson_disk_samples_keep_their_distance() -> None:
    mask = PoissonDiskMask(9, 0, slope=0).set_random_state(0)((64, 64))
    points = torch.nonzero(mask).double()
    distances = torch.cdist(points, points) + 100 * torch.eye(len(points))
    assert distances.min() >= 2
    random = torch.nonzero(GaussianMask(9, 0, sigma=100).set_random_state(0)((64, 64))).double()
    assert (torch.cdist(random, random) + 100 * torch.eye(len(random))).min() == 1


def test_several_accelerations_are_drawn_from() -> None:
    mask = UniformMask((2, 4), 0.04).set_random_state(0)
    drawn = {round(mask((1, 100)).double().mean().item(), 2) for _ in range(20)}
    assert drawn == {0.5, 0.25}
    assert mask.acceleration in (2, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandomMask(0.5), "acceleration must be at least 1, got 0.5"),
        (lambda: RandomMask(float("nan")), "acceleration must be at least 1, got nan"),
        (lambda: RandomMask(4, 0.3), "center_fraction must be within 0 to 0.25"),
        (lambda: RandomMask((4, 8), 0.2), "0 to 0.125, the sampled fraction of acceleration 8, got 0.2"),
        (lambda: RandomMask(4, -0.1), "center_fraction must be within"),
        (lambda: RandomMask((4, 8), (0.1, 0.1, 0.1)), "2"),
        (lambda: RandomMask(slice_axis=-1), "slice_axis must not be one of axes, got -1"),
        (lambda: RandomMask(axes=(1, 2))((3, 4)), r"needs data with these axes, .*got shape \(3, 4\)"),
        (lambda: RandomMask(slice_axis=2)((1, 3, 4)), "all different, got shape"),
        (lambda: GaussianMask(sigma=0), "sigma must be positive, got 0"),
        (lambda: PoissonDiskMask(slope=-1), "slope must not be negative, got -1"),
        (lambda: SpiralMask(n_interleaves=0), "n_interleaves must be at least 1, got 0"),
        (lambda: RadialMask(angles="other"), "angles must be one of uniform, golden, got other"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", MASK_NAMES)
def test_masks_by_name_have_their_acceleration(name: str) -> None:
    mask = mask_by_name(name, 6)
    mask.set_random_state(0)
    fraction = mask((1, 1, 192, 160)).float().mean().item()
    assert fraction == pytest.approx(1 / 6, rel=0.03)


def test_fastmri_centers_are_the_default_of_columns() -> None:
    assert mask_by_name("random", (4, 8)).choices == ((4.0, 0.08), (8.0, 0.04))
    assert mask_by_name("random", 4, 0.1).choices == ((4.0, 0.1),)
    assert len(mask_mixture(["random", "radial"], [3, 6])) == 2


def test_unknown_mask_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`mask` cartesian: is no way to sample k-space; choose one of random, "):
        mask_by_name("cartesian")
