"""Signal equations of the sequences that the simulator plays.

All take relaxation times and sequence times in seconds, flip angles in radians, and return the signed longitudinal
magnetization's share that the readout sees, in units of the proton density; a magnitude image is its absolute value.
Source: Bernstein, King, Zhou: Handbook of MRI Pulse Sequences (Elsevier 2004), sections 14.1, 14.2 and 16.4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def spin_echo(
    proton_density: ArrayLike, t1: ArrayLike, t2: ArrayLike, *, repetition_time: float, echo_time: float
) -> NDArray[np.float64]:
    """Signal of a spin echo: ``PD (1 - 2 exp(-(TR - TE/2)/T1) + exp(-TR/T1)) exp(-TE/T2)``.

    Raises:
        ValueError: if the echo does not fit into the repetition.
    """
    _check_times(repetition_time, echo_time)
    t1 = np.asarray(t1, dtype=float)
    recovery = 1 - 2 * np.exp(-(repetition_time - echo_time / 2) / t1) + np.exp(-repetition_time / t1)
    return np.asarray(proton_density) * recovery * np.exp(-echo_time / np.asarray(t2, dtype=float))


def inversion_recovery_spin_echo(
    proton_density: ArrayLike,
    t1: ArrayLike,
    t2: ArrayLike,
    *,
    repetition_time: float,
    echo_time: float,
    inversion_time: float,
) -> NDArray[np.float64]:
    """Signal of an inversion-recovery spin echo (FLAIR, and T1w with a shorter inversion time).

    ``PD (1 - 2 exp(-TI/T1) + 2 exp(-(TR - TE/2)/T1) - exp(-TR/T1)) exp(-TE/T2)``, signed.

    Raises:
        ValueError: if inversion and echo do not fit into the repetition.
    """
    _check_times(repetition_time, echo_time, inversion_time)
    t1 = np.asarray(t1, dtype=float)
    recovery = (
        1
        - 2 * np.exp(-inversion_time / t1)
        + 2 * np.exp(-(repetition_time - echo_time / 2) / t1)
        - np.exp(-repetition_time / t1)
    )
    return np.asarray(proton_density) * recovery * np.exp(-echo_time / np.asarray(t2, dtype=float))


def spoiled_gradient_echo(
    proton_density: ArrayLike,
    t1: ArrayLike,
    t2_star: ArrayLike,
    *,
    repetition_time: float,
    echo_time: float,
    flip_angle: float,
) -> NDArray[np.float64]:
    """Signal of a spoiled gradient echo: ``PD sin(a) (1 - E1) / (1 - E1 cos(a)) exp(-TE/T2*)``, ``E1 = exp(-TR/T1)``.

    Raises:
        ValueError: if the echo does not fit into the repetition.
    """
    _check_times(repetition_time, echo_time)
    e1 = np.exp(-repetition_time / np.asarray(t1, dtype=float))
    steady_state = math.sin(flip_angle) * (1 - e1) / (1 - e1 * math.cos(flip_angle))
    return np.asarray(proton_density) * steady_state * np.exp(-echo_time / np.asarray(t2_star, dtype=float))


def nulling_inversion_time(t1: float, *, repetition_time: float, echo_time: float = 0.0) -> float:
    """Inversion time at which :func:`inversion_recovery_spin_echo` has no signal from tissue of this ``t1``."""
    end = 1 + 2 * math.exp(-(repetition_time - echo_time / 2) / t1) - math.exp(-repetition_time / t1)
    return t1 * math.log(2 / end)


def _check_times(repetition_time: float, echo_time: float, inversion_time: float = 0.0) -> None:
    if not 0 <= inversion_time + echo_time < repetition_time:
        raise ValueError(
            f"inversion and echo must fit into the repetition, got {repetition_time=}, {echo_time=}, {inversion_time=}"
        )
