"""Tests of operators.dipole_inversion against what each solver does in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.fft import fftn, ifftn

from mri_attention.operators import DipoleConvolution, dipole_kernel, estimate_field_noise, volume_gradient
from mri_attention.operators.dipole import SPATIAL
from mri_attention.operators.dipole_inversion import cgls, tikhonov, tkd, total_variation, weight_for_noise
from mri_attention.operators.gradient import gradient_power
from tests.helpers import assert_adjoint, assert_linear

SHAPE, SIZE, OBLIQUE = (12, 10, 8), (1.0, 1.2, 2.0), (0.2, 0.3, 0.9)
SOLVERS = [tkd, tikhonov, total_variation, cgls]
LINEAR = [tkd, tikhonov]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def mode(frequency: tuple[int, int, int]) -> tuple[Tensor, float]:
    """One wave, and the dipole's value at its frequency."""
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) / n for n in SHAPE), indexing="ij")
    wave = torch.cos(2 * math.pi * sum(f * x for f, x in zip(frequency, axes, strict=True)) + 0.3)
    return wave[None, None], dipole_kernel(SHAPE, SIZE, OBLIQUE, dtype=torch.float64)[frequency].item()


def blocks(n: int = 32) -> tuple[Tensor, Tensor]:
    """A piecewise constant map (ppm) within a ball."""
    chi = torch.zeros(1, 1, n, n, n, dtype=torch.float64)
    chi[..., 10:17, 11:19, 9:18] = 0.1
    chi[..., 18:23, 9:14, 16:23] = -0.05
    r = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float64) - n // 2] * 3, indexing="ij"))
    return chi, (r.norm(dim=0) < 0.43 * n).double()[None, None]


def relative_error(found: Tensor, chi: Tensor, mask: Tensor) -> float:
    difference = (found - chi)[mask > 0]
    return float((difference - difference.mean()).norm() / chi.norm())


FREQUENCIES = [(1, 0, 0), (1, 2, 0), (2, 1, 3), (0, 0, 3), (3, 0, 2)]


@pytest.mark.parametrize("frequency", FREQUENCIES, ids=str)
def test_thresholded_division_of_one_wave(frequency: tuple[int, int, int]) -> None:
    wave, d = mode(frequency)
    held = d if abs(d) > 0.15 else math.copysign(0.15, d)
    torch.testing.assert_close(tkd(d * wave, SIZE, OBLIQUE), d / held * wave)


def test_waves_are_on_both_sides_of_the_threshold() -> None:
    assert {abs(mode(frequency)[1]) > 0.15 for frequency in FREQUENCIES} == {True, False}


@pytest.mark.parametrize("frequency", FREQUENCIES, ids=str)
def test_tikhonov_of_one_wave(frequency: tuple[int, int, int]) -> None:
    wave, d = mode(frequency)
    power = sum((2 - 2 * math.cos(2 * math.pi * f / n)) / s**2 for f, n, s in zip(frequency, SHAPE, SIZE, strict=True))
    torch.testing.assert_close(tikhonov(d * wave, SIZE, OBLIQUE, weight=0.03), d * d / (d * d + 0.03) * wave)
    expected = d * d / (d * d + 0.03 * power) * wave
    torch.testing.assert_close(tikhonov(d * wave, SIZE, OBLIQUE, None, 0.03, "gradient"), expected)


@pytest.mark.parametrize("frequency", FREQUENCIES, ids=str)
def test_conjugate_gradients_need_one_step_for_one_wave(frequency: tuple[int, int, int]) -> None:
    wave, d = mode(frequency)
    torch.testing.assert_close(cgls(d * wave, SIZE, OBLIQUE, n_iterations=1), wave)
    damped = cgls(d * wave, SIZE, OBLIQUE, n_iterations=1, damping=0.03)
    torch.testing.assert_close(damped, d * d / (d * d + 0.03) * wave)


def test_total_variation_of_no_weight_has_the_field() -> None:
    chi, _ = blocks(16)
    field = DipoleConvolution((16,) * 3, SIZE, OBLIQUE, 1.0, dtype=torch.float64)(chi)
    found = total_variation(field, SIZE, OBLIQUE, weight=1e-9, rho=1e-2, tolerance=0, n_iterations=60)
    again = DipoleConvolution((16,) * 3, SIZE, OBLIQUE, 1.0, dtype=torch.float64)(found)
    torch.testing.assert_close(again, field, atol=1e-3 * field.abs().max().item(), rtol=0)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_total_variation_recovers_blocks(is_weighted: bool) -> None:
    """Noiseless inversion: 20 % are lost by thresholded division, 1 % here."""
    chi, mask = blocks()
    field = DipoleConvolution((32,) * 3, b0_direction=OBLIQUE, padding=1.0, dtype=torch.float64)(chi)
    options = {"data_weight": mask} if is_weighted else {}
    found = total_variation(field, b0_direction=OBLIQUE, mask=mask, weight=1e-4, **options)
    assert relative_error(found, chi, mask) < 0.02
    assert relative_error(tkd(field, b0_direction=OBLIQUE, mask=mask), chi, mask) > 0.15


def test_data_weights_let_the_outside_be_unknown() -> None:
    chi, mask = blocks()
    field = mask * DipoleConvolution((32,) * 3, b0_direction=OBLIQUE, padding=1.0, dtype=torch.float64)(chi)
    weighted = total_variation(field, b0_direction=OBLIQUE, mask=mask, weight=1e-4, data_weight=mask)
    plain = total_variation(field, b0_direction=OBLIQUE, mask=mask, weight=1e-4)
    assert relative_error(weighted, chi, mask) < 0.02 < relative_error(plain, chi, mask)


def previous_total_variation(
    field: Tensor, mask: Tensor, size: tuple[float, ...], direction: tuple[float, ...], weight: float, n_turns: int
) -> Tensor:
    """The plain alternating direction method: no relaxation, another penalty, nothing in place."""
    shape, rho = field.shape[-3:], 100 * weight
    kernel = dipole_kernel(shape, size, direction, dtype=field.dtype)
    gradient = volume_gradient(torch.tensor([size], dtype=field.dtype))
    normal = kernel**2 + rho * gradient_power(shape, torch.tensor([size], dtype=field.dtype))
    split = dual = gradient(torch.zeros_like(field))
    field_split, field_dual = field * mask / 2, torch.zeros_like(field)
    for _ in range(n_turns):
        right = kernel * fftn(field_split - field_dual, dim=SPATIAL) + rho * fftn(
            gradient.adjoint(split - dual), dim=SPATIAL
        )
        spectrum = torch.where(normal == 0, 0, right / normal)
        differences = gradient(ifftn(spectrum, dim=SPATIAL).real) + dual
        split = differences.sign() * (differences.abs() - weight / rho).relu()
        dual = differences - split
        modeled = ifftn(spectrum * kernel, dim=SPATIAL).real + field_dual
        field_split = (mask * field + modeled) / (mask + 1)
        field_dual = modeled - field_split
    return ifftn(spectrum, dim=SPATIAL).real * mask


@pytest.mark.parametrize("weight", [1e-4, 2e-3])
def test_total_variation_is_the_minimizer_of_the_plain_method(weight: float) -> None:
    chi, mask = blocks(20)
    field = DipoleConvolution((20,) * 3, SIZE, OBLIQUE, 1.0, dtype=torch.float64)(chi)
    field = (field + 0.002 * noise(*field.shape)) * mask
    options = {"data_weight": mask, "weight": weight}
    found = total_variation(field, SIZE, OBLIQUE, mask, n_iterations=1000, tolerance=1e-5, **options)
    expected = previous_total_variation(field, mask, SIZE, OBLIQUE, weight, 2000)
    assert relative_error(found, expected, mask) < 0.002


@pytest.mark.parametrize("is_weighted", [False, True])
def test_no_small_step_from_the_minimizer_of_total_variation_is_better(is_weighted: bool) -> None:
    """Brute force on a tiny grid: the objective along random directions."""
    shape, weight = (4, 5, 6), 0.02
    field, data_weight = noise(1, 1, *shape), (noise(1, 1, *shape, seed=1) > -1).double() if is_weighted else None
    found = total_variation(field, SIZE, OBLIQUE, None, weight, data_weight=data_weight, n_iterations=5000, tolerance=0)
    convolve = DipoleConvolution(shape, SIZE, OBLIQUE, 1.0, dtype=torch.float64)
    gradient = volume_gradient(torch.tensor([SIZE], dtype=torch.float64))

    def objective(chi: Tensor) -> float:
        residual = (convolve(chi) - field) * (1 if data_weight is None else data_weight)
        return float(residual.square().sum() / 2 + weight * gradient(chi).abs().sum())

    steps = [scale * noise(1, 1, *shape, seed=seed) for scale in (1e-3, 1e-1) for seed in range(2, 40)]
    assert objective(found) <= min(objective(found + step) for step in steps)


def test_total_variation_from_a_near_start_is_nearer_after_few_turns() -> None:
    chi, mask = blocks(24)
    field = mask * DipoleConvolution((24,) * 3, b0_direction=OBLIQUE, padding=1.0, dtype=torch.float64)(chi)
    solve = partial(total_variation, field, b0_direction=OBLIQUE, mask=mask, weight=1e-4, data_weight=mask)
    best = solve(n_iterations=400, tolerance=1e-6)
    errors = [relative_error(solve(start=start, n_iterations=5), best, mask) for start in (None, best)]
    assert errors[1] < 0.7 * errors[0]


def test_edges_of_a_structure_may_jump_for_free() -> None:
    """So a weight that flattens all else leaves the blocks as high as they are."""
    chi, mask = blocks(24)
    field = mask * DipoleConvolution((24,) * 3, b0_direction=OBLIQUE, padding=1.0, dtype=torch.float64)(chi)
    solve = partial(total_variation, field, b0_direction=OBLIQUE, mask=mask, weight=5e-3, data_weight=mask)
    assert relative_error(solve(structure=7 + chi, edge_share=0.05), chi, mask) < 0.5 * relative_error(
        solve(), chi, mask
    )


def test_total_variation_takes_its_weight_from_the_noise() -> None:
    _, mask = blocks()
    field = 0.002 * noise(1, 1, 32, 32, 32) * mask
    sigma = estimate_field_noise(field, mask, b0_direction=OBLIQUE)
    by_hand = float(weight_for_noise(sigma, (1.0, 1.0, 1.0)))
    solve = partial(total_variation, field, b0_direction=OBLIQUE, mask=mask, data_weight=mask, n_iterations=5)
    assert torch.equal(solve(), solve(weight=by_hand))
    assert torch.equal(solve(noise=0.002), solve(weight=float(weight_for_noise(0.002, (1.0, 1.0, 1.0)))))


def test_least_squares_with_support_recovers_blocks_in_time() -> None:
    chi, mask = blocks()
    field = DipoleConvolution((32,) * 3, b0_direction=OBLIQUE, padding=1.0, dtype=torch.float64)(chi)
    errors = [relative_error(cgls(field, b0_direction=OBLIQUE, mask=mask, n_iterations=n), chi, mask) for n in (5, 150)]
    assert errors[0] > 0.15
    assert errors[1] < 0.1


@pytest.mark.parametrize("solve", LINEAR)
def test_division_is_linear_and_symmetric(solve: Callable[..., Tensor]) -> None:
    x, y = noise(1, 1, *SHAPE), noise(1, 1, *SHAPE, seed=1)
    assert_linear(lambda f: solve(f, SIZE, OBLIQUE, padding=1.4), x, y)
    assert_adjoint(*[lambda f: solve(f, SIZE, OBLIQUE, padding=1.4)] * 2, x, y)


@pytest.mark.parametrize("solve", SOLVERS)
def test_items_of_a_batch_have_their_own_geometry(solve: Callable[..., Tensor]) -> None:
    options = {"tolerance": 0, "n_iterations": 5} if solve in (total_variation, cgls) else {}
    fields, sizes = noise(2, 1, *SHAPE), torch.tensor([SIZE, (1.0, 1.0, 1.0)])
    directions, mask = torch.tensor([OBLIQUE, (0.0, 1.0, 0.0)]), (noise(2, 1, *SHAPE, seed=2) > -1).double()
    both = solve(fields, sizes, directions, mask, **options)
    for i in range(2):
        one = solve(fields[i, None], sizes[i], directions[i], mask[i, None], **options)
        torch.testing.assert_close(both[i, None], one)
    assert not both[mask == 0].any()


@pytest.mark.parametrize("solve", SOLVERS)
def test_zero_field_has_a_zero_map_and_float32_stays(solve: Callable[..., Tensor]) -> None:
    found = solve(torch.zeros(1, 1, *SHAPE), padding=1.5)
    assert found.dtype == torch.float32
    assert found.shape == (1, 1, *SHAPE)
    assert not found.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: tkd(f, threshold=0.0), "threshold must be positive, got 0.0"),
        (lambda f: tikhonov(f, weight=0.0), "weight must be positive"),
        (lambda f: tikhonov(f, regularizer="other"), "regularizer='other'"),
        (lambda f: total_variation(f, weight=0.0), "weight, rho and n_iterations must be positive"),
        (lambda f: total_variation(f, rho=-1.0), "weight, rho and n_iterations must be positive"),
        (lambda f: total_variation(f, n_iterations=0), "n_iterations=0"),
        (lambda f: cgls(f, damping=-1.0), "damping must not be negative, got -1.0"),
        (lambda f: tkd(f, padding=0.0), "padding must be a factor of at least 1"),
    ],
)
def test_rejects(call: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(1, 1, 4, 4, 4))
