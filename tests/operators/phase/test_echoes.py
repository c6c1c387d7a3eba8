"""Tests of unwrapping and fitting echoes, and of what is told of their noise."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mri_attention.operators.phase import (
    fit_echoes,
    high_pass_noise,
    jumps,
    noise_of_fit,
    unwrap_echoes,
    unwrap_volume,
    wrap,
)
from mri_attention.operators.phase.lines import fit_line, fit_through_zero
from tests.operators.phase.phantoms import ball, places

SHAPE, CENTER = (20, 18, 16), (9.5, 8.5, 7.5)
TIMES = [0.004, 0.010, 0.016, 0.022, 0.028]


def field() -> Tensor:
    """Return a field (Hz) that wraps phase many times at the last echo."""
    x, y, z = places(SHAPE, (1.0, 1.0, 1.0), CENTER)
    return (6 * z + 3 * x + 0.4 * y**2 + 12).float()


def mask() -> Tensor:
    return ball(SHAPE, (1.0, 1.0, 1.0), CENTER, 7.5)


def echoes(times: list[float], offset: float = 0.0, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return wrapped phase and magnitude, with smooth offsets and complex noise."""
    t = torch.tensor(times)[:, None, None, None]
    x = places(SHAPE, (1.0, 1.0, 1.0), CENTER)[0].float()
    clean = torch.polar(torch.exp(-t / 0.03).expand(-1, *SHAPE), 2 * math.pi * field() * t + offset * (1 + 0.05 * x))
    parts = torch.randn(*clean.shape, 2, generator=torch.Generator().manual_seed(0))
    signal = clean + noise * torch.view_as_complex(parts)
    return signal.angle(), signal.abs()


def fitted(times: list[float], offset: float = 0.0, noise: float = 0.0) -> Tensor:
    phase, magnitude = echoes(times, offset, noise)
    return fit_echoes(unwrap_echoes(phase, magnitude, times, mask()), magnitude, times).field


def test_phase_wraps_between_minus_pi_and_pi() -> None:
    values = torch.tensor([-7.0, -3.2, 0.5, 3.2, 9.5], dtype=torch.float64)
    torch.testing.assert_close(wrap(values), torch.polar(torch.ones_like(values), values).angle())


def test_a_volume_unwraps_but_for_one_constant() -> None:
    truth = 2 * math.pi * field() * 0.028
    found = unwrap_volume(wrap(truth), mask())
    difference = (found - truth)[mask()]
    torch.testing.assert_close(difference, difference[:1].expand_as(difference), atol=1e-4, rtol=0)
    assert not found[~mask()].any()
    assert abs(float(found[mask()].median())) < math.pi + 0.1


def test_each_part_of_a_mask_has_its_median_nearest_to_zero() -> None:
    parts = mask().clone()
    parts[9:11] = False
    truth = 2 * math.pi * field() * 0.028
    found = unwrap_volume(wrap(truth), parts)
    for part in (slice(None, 9), slice(11, None)):
        inside = parts[part]
        difference = (found - truth)[part][inside]
        torch.testing.assert_close(difference, difference[:1].expand_as(difference), atol=1e-4, rtol=0)
        assert abs(float(found[part][inside].median())) < math.pi + 0.1


@pytest.mark.parametrize("times", [TIMES, TIMES[:3], [0.003, 0.009, 0.012, 0.028]])
def test_three_echoes_give_the_field_whatever_the_offset(times: list[float]) -> None:
    torch.testing.assert_close(fitted(times, 2.0)[mask()], field()[mask()], atol=1e-3, rtol=0)


@pytest.mark.parametrize("times", [TIMES[:1], TIMES[2:3], TIMES[:2], TIMES[1:3]])
def test_fewer_echoes_give_the_field_without_offset(times: list[float]) -> None:
    difference = (fitted(times) - field())[mask()]
    whole = round(float(difference.mean()) * times[0]) / times[0] if len(times) == 1 else 0.0
    torch.testing.assert_close(difference, torch.full_like(difference, whole), atol=1e-2, rtol=0)


def test_lines_are_those_of_weighted_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    values, weights = torch.rand(2, 5, 3, dtype=torch.float64, generator=generator)
    times = torch.tensor(TIMES, dtype=torch.float64)
    for voxel in range(3):
        root = weights[:, voxel].sqrt()[:, None]
        design = torch.stack([times, torch.ones_like(times)], 1)
        expected = torch.linalg.lstsq(root * design, root * values[:, voxel, None]).solution[:, 0]
        torch.testing.assert_close(torch.stack(fit_line(values, weights, times))[:, voxel], expected)
        through = torch.linalg.lstsq(root * design[:, :1], root * values[:, voxel, None]).solution[0, 0]
        torch.testing.assert_close(fit_through_zero(values, weights, times)[voxel], through)


def test_lines_without_weight_are_zero() -> None:
    zeros = torch.zeros(3, 2)
    assert not torch.stack(fit_line(torch.ones(3, 2), zeros, torch.tensor([1.0, 2.0, 3.0]))).isnan().any()


@pytest.mark.parametrize("times", [TIMES, TIMES[:2], TIMES[2:3]])
def test_the_spread_of_the_field_is_the_one_that_is_told(times: list[float]) -> None:
    noise = 0.01
    phase, magnitude = echoes(times, noise=noise)
    fit = fit_echoes(unwrap_echoes(phase, magnitude, times, mask()), magnitude, times)
    error = (fit.field - field())[mask()]
    error = error - error.median()
    expected = noise * fit.sensitivity[mask()]
    assert float((error / expected).std()) == pytest.approx(1, abs=0.05)


def test_the_noise_is_found_in_the_signal_and_in_the_residual() -> None:
    phase, magnitude = echoes(TIMES, noise=0.02)
    fit = fit_echoes(unwrap_echoes(phase, magnitude, TIMES, mask()), magnitude, TIMES)
    assert noise_of_fit(fit.residual, magnitude, mask(), len(TIMES) - 2) == pytest.approx(0.02, rel=0.1)
    generator = torch.Generator().manual_seed(1)
    signal = 1 + 0.02 * torch.view_as_complex(torch.randn(1, *SHAPE, 2, generator=generator))
    assert high_pass_noise(signal.angle(), signal.abs(), mask()) == pytest.approx(0.02, rel=0.1)


def test_the_residual_is_zero_for_lines_and_large_for_what_is_none() -> None:
    phase, magnitude = echoes(TIMES)
    unwrapped = unwrap_echoes(phase, magnitude, TIMES, mask())
    assert float(fit_echoes(unwrapped, magnitude, TIMES).residual[mask()].max()) < 1e-3
    unwrapped[2] += 1.0
    assert float(fit_echoes(unwrapped, magnitude, TIMES).residual[mask()].min()) > 0.3


def test_wraps_that_are_left_are_told_by_the_voxels_beside_them() -> None:
    phase = torch.zeros(6, 6, 6)
    phase[2, 2, 2] = 2 * math.pi
    assert int(jumps(phase, torch.ones(6, 6, 6)).sum()) == 7
    assert not jumps(phase, (phase == 0).float()).any()
