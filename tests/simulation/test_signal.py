"""Tests of transforms.signal."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mri_attention.simulation.signal import (
    inversion_recovery_spin_echo,
    nulling_inversion_time,
    spin_echo,
    spoiled_gradient_echo,
)


def recover(mz: float, t1: float, seconds: float) -> float:
    """Integrate Bloch's equation of longitudinal recovery, dMz/dt = (1 - Mz) / T1."""
    solution = solve_ivp(lambda _, m: (1 - m) / t1, (0, seconds), [mz], rtol=1e-10, atol=1e-12)
    return float(solution.y[0, -1])


@pytest.mark.parametrize(("t1", "t2"), [(0.84, 0.077), (1.4, 0.099), (4.16, 1.8)])
def test_spin_echo_is_the_steady_state_of_bloch(t1: float, t2: float) -> None:
    repetition, echo, mz = 0.6, 0.02, 1.0
    for _ in range(60):
        excited = mz
        mz = recover(-recover(0.0, t1, echo / 2), t1, repetition - echo / 2)
    expected = 0.7 * excited * math.exp(-echo / t2)
    assert spin_echo(0.7, t1, t2, repetition_time=repetition, echo_time=echo) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("t1", "t2"), [(0.84, 0.077), (1.4, 0.099), (4.16, 1.8)])
def test_inversion_recovery_is_the_steady_state_of_bloch(t1: float, t2: float) -> None:
    repetition, echo, inversion, mz = 5.0, 0.1, 1.8, 1.0
    for _ in range(60):
        excited = recover(-mz, t1, inversion)
        mz = recover(-recover(0.0, t1, echo / 2), t1, repetition - inversion - echo / 2)
    expected = excited * math.exp(-echo / t2)
    times = {"repetition_time": repetition, "echo_time": echo, "inversion_time": inversion}
    assert inversion_recovery_spin_echo(1.0, t1, t2, **times) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("t1", [0.4, 0.84, 4.16])
def test_gradient_echo_is_the_steady_state_of_bloch(t1: float) -> None:
    repetition, angle, mz = 0.02, math.radians(25), 1.0
    for _ in range(2000):
        before = mz
        mz = 1 + (mz * math.cos(angle) - 1) * math.exp(-repetition / t1)
    expected = before * math.sin(angle) * math.exp(-0.004 / 0.05)
    signal = spoiled_gradient_echo(1.0, t1, 0.05, repetition_time=repetition, echo_time=0.004, flip_angle=angle)
    assert signal == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("repetition_time", [5.0, 8.0, 11.0])
def test_nulling_inversion_time_nulls(repetition_time: float) -> None:
    times = {"repetition_time": repetition_time, "echo_time": 0.1}
    inversion_time = nulling_inversion_time(4.16, **times)
    signal = inversion_recovery_spin_echo(1.0, 4.16, 1.8, inversion_time=inversion_time, **times)
    assert abs(float(signal)) < 1e-12


def test_inversion_recovery_with_complete_relaxation_is_two_minus_one() -> None:
    times = {"repetition_time": 1000.0, "echo_time": 0.0}
    late = inversion_recovery_spin_echo(1.0, 0.8, 0.1, inversion_time=500.0, **times)
    early = inversion_recovery_spin_echo(1.0, 0.8, 0.1, inversion_time=0.0, **times)
    np.testing.assert_allclose([late, early], [1, -1], atol=1e-12)


@pytest.mark.parametrize(("repetition_time", "echo_time"), [(0.1, 0.2), (0.1, -0.01)])
def test_rejects_echoes_outside_the_repetition(repetition_time: float, echo_time: float) -> None:
    with pytest.raises(ValueError, match="fit into the repetition"):
        spin_echo(1.0, 1.0, 0.1, repetition_time=repetition_time, echo_time=echo_time)
