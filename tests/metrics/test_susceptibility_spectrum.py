"""Tests of the error of susceptibility maps by the angle of k to B0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mri_attention.metrics import MAGIC_ANGLE, angle_edges, demeaned_error, errors_by_angle
from mri_attention.operators import dipole_kernel

Volume = NDArray[np.float64]

SHAPE, SIZE, OBLIQUE = (25, 24, 18), (1.0, 0.8, 2.0), (0.0, 0.5, 0.8)


def truth(shape: tuple[int, ...] = SHAPE) -> Volume:
    return np.random.default_rng(0).normal(0.01, 0.05, shape)


def angle_of(k: Volume, direction: tuple[float, ...]) -> float:
    cosine = abs(k @ np.array(direction)) / np.linalg.norm(k) / np.linalg.norm(direction)
    return float(np.degrees(np.arccos(cosine)))


def test_the_dipole_is_zero_at_the_magic_angle() -> None:
    assert pytest.approx(1 / 3) == np.cos(np.radians(MAGIC_ANGLE)) ** 2
    assert pytest.approx(54.7356, abs=1e-4) == MAGIC_ANGLE


@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), OBLIQUE])
def test_an_error_planted_in_one_cone_is_found_there_alone(direction: tuple[float, ...]) -> None:
    """On odd axes, where each frequency has its own angle, which the dipole kernel tells too."""
    true = truth((25, 23, 17))
    kernel = dipole_kernel(true.shape, SIZE, direction, dtype=torch.float64).numpy()
    angle = np.degrees(np.arccos(np.sqrt(np.clip(1 / 3 - kernel, 0, 1))))
    is_cone = (angle >= 54) & (angle < 56)
    is_cone[0, 0, 0] = False
    planted = true + np.fft.ifftn(np.fft.fftn(true) * 0.3 * is_cone).real
    found = errors_by_angle(planted, true, SIZE, direction)
    cone = np.flatnonzero(angle_edges() == 54)[0]
    assert found[cone] == pytest.approx(30)
    np.testing.assert_allclose(np.nan_to_num(np.delete(found, cone)), 0, atol=1e-9)  # NaN: no frequency


@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), OBLIQUE])
@pytest.mark.parametrize("mode", [(0, 2, 3), (3, -1, 2), (4, 0, 0), (0, 0, 1)])
def test_a_single_mode_counts_at_its_angle_in_mm(mode: tuple[int, ...], direction: tuple[float, ...]) -> None:
    """``a cos(2 pi k.r)`` over N voxels has ``a N / 2`` at k and at -k."""
    n = np.array(SHAPE)
    wave = np.cos(2 * np.pi * np.tensordot(np.array(mode) / n, np.indices(SHAPE), 1))
    number = int(min(angle_of(np.array(mode) / n / np.array(SIZE), direction) // 2, 44))
    alone = errors_by_angle(1.25 * wave, wave, SIZE, direction)
    assert alone[number] == pytest.approx(25)
    true = truth()
    found = errors_by_angle(true + 0.01 * wave, true, SIZE, direction)
    smaller = errors_by_angle(true + 0.005 * wave, true, SIZE, direction)
    assert found[number] == pytest.approx(2 * smaller[number])
    np.testing.assert_allclose(np.nan_to_num(np.delete(found, number)), 0, atol=1e-6)


def test_voxel_size_turns_the_angle() -> None:
    wave = np.cos(2 * np.pi * (np.indices((9, 9, 9))[1] + np.indices((9, 9, 9))[2]) / 9)
    assert errors_by_angle(0 * wave, wave, (1, 1, 1), (0, 0, 1), n_angles=9)[4] == pytest.approx(100)  # 45 degrees
    assert errors_by_angle(0 * wave, wave, (1, 1, 3), (0, 0, 1), n_angles=9)[7] == pytest.approx(100)  # 71.6


def test_one_bin_is_the_error_of_the_whole() -> None:
    true = truth((9, 7, 5))
    other = true + np.random.default_rng(1).normal(0, 0.02, true.shape)
    mask = np.zeros(true.shape, bool)
    mask[2:-1, 1:-1, 1:-1] = True
    (found,) = errors_by_angle(other, true, SIZE, OBLIQUE, mask, n_angles=1)
    error, whole = ((v - v[mask].mean()) * mask for v in (other - true, true))
    zero = [abs(v.sum()) ** 2 for v in (error, whole)]  # about zero, as the means are
    powers = [v.size * (v**2).sum() - z for v, z in zip((error, whole), zero, strict=True)]
    assert found == pytest.approx(100 * np.sqrt(powers[0] / powers[1]))
    assert found == pytest.approx(demeaned_error(other, true, mask))


def test_means_and_what_is_outside_of_the_mask_do_not_count() -> None:
    true, mask = truth(), np.zeros(SHAPE, bool)
    mask[3:-3, 3:-3, 3:-3] = True
    other = true * 1.1
    shifted = np.where(mask, other + 0.5, 7.0)
    expected = errors_by_angle(other, true, SIZE, OBLIQUE, mask)
    np.testing.assert_allclose(errors_by_angle(shifted, true - 2, SIZE, OBLIQUE, mask), expected)
    np.testing.assert_allclose(expected[np.isfinite(expected)], 10)


def test_where_the_truth_has_nothing_the_error_is_nan() -> None:
    assert np.isnan(errors_by_angle(truth(), np.zeros(SHAPE), SIZE, OBLIQUE)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: errors_by_angle(truth(), truth((2, 2, 2)), SIZE, OBLIQUE), "shapes differ"),
        (lambda: errors_by_angle(truth(), truth(), SIZE, OBLIQUE, np.zeros(SHAPE)), "mask must not be empty"),
        (lambda: errors_by_angle(truth(), truth(), (1, 0, 1), OBLIQUE), "voxel_size must be positive"),
        (lambda: errors_by_angle(truth(), truth(), SIZE, (0, 0, 0)), "must not have length zero"),
        (lambda: errors_by_angle(truth(), truth(), SIZE, OBLIQUE, n_angles=0), "n_angles must be positive, got 0"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
