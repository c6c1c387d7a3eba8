"""Tests of the removal of background fields against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.operators.phase import (
    NamedBackground,
    SphericalMean,
    project_onto_dipoles,
    single_step,
    sphere,
    vsharp,
)
from mri_attention.operators.phase.vsharp import fitting_spheres
from tests.helpers import assert_adjoint, assert_linear
from tests.operators.phase.phantoms import ball, places, sphere_field

SHAPE, SIZES = (48, 44, 30), (1.0, 1.0, 1.5)
CENTER = (24.0, 22.0, 22.5)
DIRECTION = (0.0, 0.6, 0.8)
METHODS: dict[str, dict[str, float]] = {
    "single_step": {"radius": 8.0, "n_radii": 3},
    "vsharp": {"radius": 8.0},
    "pdf": {"n_iterations": 100},
}


def brain() -> Tensor:
    return ball(SHAPE, SIZES, CENTER, 18.0)[None, None].float()


def removed(method: str, field: Tensor, **options: object) -> tuple[Tensor, Tensor]:
    return NamedBackground(method, **(METHODS[method] | options))(field, brain(), SIZES, DIRECTION)


def spread(values: Tensor, mask: Tensor) -> float:
    return float(values[mask > 0].double().std())


def outside_field() -> Tensor:
    """Two sources outside, and what a shim leaves: harmonic within the mask."""
    field = sphere_field(SHAPE, SIZES, (24.0, 60.0, 10.0), 12.0, 9.0, DIRECTION)
    field += sphere_field(SHAPE, SIZES, (-2.0, 20.0, 30.0), 5.0, -9.0, DIRECTION)
    x, y, z = places(SHAPE, SIZES, CENTER)
    return (field + 0.02 * z + 0.001 * (x * y) + 0.5)[None, None].float()


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (0.8, 0.8, 2.0)])
def test_the_mean_of_a_harmonic_function_over_a_sphere_is_its_value_in_the_middle(sizes: tuple[float, ...]) -> None:
    x, y, z = places((40, 40, 24), sizes, [s * n / 2 for s, n in zip(sizes, (40, 40, 24), strict=True)])
    harmonic = (0.3 + 0.1 * x + x * y + (x**2 + y**2 - 2 * z**2) / 2)[None, None]
    mean = SphericalMean((40, 40, 24), sizes, 6.0, dtype=torch.float64)(harmonic)
    inner = (..., slice(10, -10), slice(10, -10), slice(9, -9))
    torch.testing.assert_close(mean[inner], harmonic[inner], atol=0.05, rtol=0.0)
    assert mean[inner].std() > 5


def test_a_sphere_has_its_volume_and_the_sum_of_one() -> None:
    kernel = sphere((32, 32, 32), (1.0, 1.0, 2.0), 7.0)
    assert float(kernel.sum()) == pytest.approx(1)
    assert float(1 / kernel.max()) == pytest.approx(4 / 3 * torch.pi * 7**3 / 2, rel=0.04)
    torch.testing.assert_close(kernel, kernel.flip((0, 1, 2)).roll((1, 1, 1), (0, 1, 2)))


def test_the_mean_over_spheres_is_linear_and_self_adjoint() -> None:
    operator = SphericalMean((9, 8, 7), (1.0, 1.2, 2.0), 3.0, dtype=torch.float64)
    x, y = torch.randn(2, 1, 1, 9, 8, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert_linear(operator, x, y)
    assert_adjoint(operator, operator.adjoint, x, y)


@pytest.mark.parametrize("method", METHODS)
def test_fields_of_sources_outside_are_removed(method: str) -> None:
    field = outside_field()
    local, left = removed(method, field)
    assert spread(local, left) < 0.02 * spread(field, left)


@pytest.mark.parametrize(("method", "error"), [("single_step", 0.15), ("vsharp", 0.15), ("pdf", 0.25)])
def test_the_field_of_a_sphere_inside_stays(method: str, error: float) -> None:
    truth = sphere_field(SHAPE, SIZES, (26.0, 20.0, 21.0), 3.0, 1.0, DIRECTION)[None, None].float()
    local, left = removed(method, truth + outside_field())
    assert spread(local - truth, left) < error * spread(truth, left)


def test_single_step_keeps_of_large_sources_what_v_sharp_loses() -> None:
    truth = sphere_field(SHAPE, SIZES, (25.0, 21.0, 22.0), 9.0, 1.0, DIRECTION)[None, None].float()
    errors = {}
    for method in ("single_step", "vsharp"):
        local, left = removed(method, truth + outside_field(), smallest_radius=3.0)
        errors[method] = spread(local - truth, left) / spread(truth, left)
    assert errors["single_step"] < 0.5 * errors["vsharp"], errors


def test_vsharp_loses_the_border_and_pdf_nothing() -> None:
    field = outside_field()
    eroded = removed("vsharp", field)[1]
    assert 0.75 < float(eroded.sum() / brain().sum()) < 0.95
    assert not (eroded & (brain() == 0)).any()
    assert torch.equal(removed("pdf", field)[1], brain() > 0)
    wide = removed("vsharp", field, smallest_radius=4.0)[1]
    assert float(wide.sum()) < float(eroded.sum())


@pytest.mark.parametrize("method", METHODS)
def test_what_lies_outside_of_the_mask_does_not_count(method: str) -> None:
    field = outside_field()
    torch.testing.assert_close(removed(method, field)[0], removed(method, field * brain())[0])


def test_each_voxel_has_the_largest_sphere_that_fits() -> None:
    parts = fitting_spheres(brain(), SIZES, [9.0, 6.0, 3.0])
    x, y, z = places(SHAPE, SIZES, CENTER)
    depth = 18.0 - (x**2 + y**2 + z**2).sqrt()[None, None]
    assert [radius for radius, _ in parts] == [9.0, 6.0, 3.0]
    for (radius, fits), larger in zip(parts, [18.0, 9.0, 6.0], strict=True):
        assert radius - 1.5 < float(depth[fits].min())
        assert float(depth[fits].max()) < larger + 1.5
    assert int(sum(fits.int() for _, fits in parts).max()) == 1


def test_single_step_loses_as_much_of_the_border_as_its_smallest_sphere() -> None:
    left = [removed("single_step", outside_field(), smallest_radius=r, n_iterations=1)[1] for r in (2.0, 5.0)]
    assert (left[1] & ~left[0]).sum() == 0
    for mask, radius in zip(left, (2.0, 5.0), strict=True):
        assert float(mask.sum() / brain().sum()) == pytest.approx((1 - radius / 18.0) ** 3, abs=0.12)


def test_single_step_trusts_voxels_by_their_weight() -> None:
    field, broken = outside_field(), (slice(0, 1), slice(0, 1), 24, 22, 15)
    spoiled = field.clone()
    spoiled[broken] += 50.0
    weight = torch.ones_like(field)
    weight[broken] = 0.0
    with_weight, without = (
        spread(single_step(spoiled, brain(), SIZES, DIRECTION, weight=w, noise=1e-4)[0], brain() * weight)
        for w in (weight, None)
    )
    assert with_weight < 0.9 * without


def test_single_step_of_a_mask_without_room_for_a_sphere_leaves_nothing() -> None:
    local, left = single_step(outside_field(), ball(SHAPE, SIZES, CENTER, 2.0)[None, None], SIZES, DIRECTION)
    assert not left.any()
    assert not local.any()


def test_pdf_trusts_voxels_by_their_weight() -> None:
    field, broken = outside_field(), (slice(0, 1), slice(0, 1), 24, 22, 15)
    spoiled = field.clone()
    spoiled[broken] += 50.0
    weight = torch.ones_like(field)
    weight[broken] = 0.0
    found = [project_onto_dipoles(f, brain(), SIZES, DIRECTION, weight=weight)[0] for f in (field, spoiled)]
    assert spread(found[1] - found[0], brain() * weight) < 1e-3 * spread(field, brain())


def test_unknown_methods_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="must be one of single_step, vsharp, pdf, got 'lbv'"):
        NamedBackground("lbv")
    with pytest.raises(ValueError, match="pdf takes weight, n_iterations, tolerance, margin, got radius"):
        NamedBackground("pdf", radius=3.0)
    with pytest.raises(ValueError, match="threshold must be positive"):
        vsharp(outside_field(), brain(), SIZES, threshold=0.0)
    with pytest.raises(ValueError, match="n_radii and n_iterations must be at least 1"):
        removed("single_step", outside_field(), n_radii=0)
    with pytest.raises(ValueError, match="radius must be at least 12 mm, the smallest, got radius=8"):
        removed("single_step", outside_field(), smallest_radius=12.0)
    with pytest.raises(ValueError, match=r"radius must be at least 1\.5 mm"):
        vsharp(outside_field(), brain(), SIZES, radius=1.0)
    with pytest.raises(ValueError, match="at most 90 mm"):
        vsharp(outside_field(), brain(), SIZES, radius=500.0)
