"""Random acquisition protocols at 3 T, in the range that clinical sites use, and the images they give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .signal import inversion_recovery_spin_echo, nulling_inversion_time, spin_echo, spoiled_gradient_echo
from .tissues import TISSUES, Tissue


@dataclass(frozen=True)
class Protocol:
    """One sequence with its times.

    Attributes:
        sequence: what BIDS calls ``ScanningSequence``: SE, GR or IR.
        parameters: keyword arguments of the signal equation (s, rad).
        signal: the equation, from a tissue to the signed signal of pure tissue.
    """

    sequence: str
    parameters: dict[str, float]
    signal: Callable[[Tissue], float]

    def sidecar(self) -> dict[str, float | str]:
        """The fields of the BIDS sidecar: times in seconds, flip angle in degrees."""
        names = {
            "repetition_time": "RepetitionTime",
            "echo_time": "EchoTime",
            "inversion_time": "InversionTime",
        }
        fields: dict[str, float | str] = {"ScanningSequence": self.sequence, "MagneticFieldStrength": 3.0}
        fields |= {bids: round(self.parameters[name], 5) for name, bids in names.items() if name in self.parameters}
        if "flip_angle" in self.parameters:
            fields["FlipAngle"] = round(math.degrees(self.parameters["flip_angle"]), 2)
        return fields


def draw_protocols(rng: np.random.Generator) -> dict[str, Protocol]:
    """Draw a T1w, T2w, FLAIR and PDw protocol.

    T1w is a spin echo, a spoiled gradient echo or an inversion recovery, with equal chances. FLAIR's inversion time
    nulls cerebrospinal fluid within 3 %. Echo times are those that give the contrast; trains of refocusing pulses with
    variable flip angles (3D FLAIR) state longer ones. Its repetition times are those of 2D: by the equation shorter
    ones leave lesions as dark as white matter, for which 3D FLAIR has a T2 preparation.
    """
    draw_t1w = (_t1w_spin_echo, _t1w_gradient_echo, _t1w_inversion_recovery)[rng.integers(3)]
    return {
        "T1w": draw_t1w(rng),
        "T2w": _spin_echo(rng.uniform(4.0, 7.0), rng.uniform(0.080, 0.120)),
        "FLAIR": _flair(rng),
        "PDw": _spin_echo(rng.uniform(3.0, 5.0), rng.uniform(0.010, 0.030)),
    }


def signals(protocol: Protocol, rng: np.random.Generator | None = None, spread: float = 0.05) -> dict[str, float]:
    """Signed signal of each tissue of :data:`TISSUES`; with ``rng``, relaxation times vary by ``spread`` (relative)."""
    values = {}
    for name, tissue in TISSUES.items():
        factors = np.ones(4) if rng is None else np.exp(rng.normal(0, spread, 4))
        values[name] = float(protocol.signal(Tissue(*(np.asarray(tissue) * factors))))
    return values


def _spin_echo(repetition_time: float, echo_time: float) -> Protocol:
    times = {"repetition_time": repetition_time, "echo_time": echo_time}
    return Protocol("SE", times, lambda t: float(spin_echo(t.proton_density, t.t1, t.t2, **times)))


def _t1w_spin_echo(rng: np.random.Generator) -> Protocol:
    return _spin_echo(rng.uniform(0.45, 0.70), rng.uniform(0.008, 0.015))


def _t1w_gradient_echo(rng: np.random.Generator) -> Protocol:
    values = {
        "repetition_time": rng.uniform(0.018, 0.030),
        "echo_time": rng.uniform(0.003, 0.006),
        "flip_angle": math.radians(rng.uniform(20, 30)),
    }
    return Protocol("GR", values, lambda t: float(spoiled_gradient_echo(t.proton_density, t.t1, t.t2_star, **values)))


def _t1w_inversion_recovery(rng: np.random.Generator) -> Protocol:
    return _inversion_recovery(rng.uniform(1.8, 2.3), rng.uniform(0.008, 0.020), rng.uniform(0.75, 0.95))


def _flair(rng: np.random.Generator) -> Protocol:
    repetition_time, echo_time = rng.uniform(8.0, 11.0), rng.uniform(0.090, 0.140)
    null = nulling_inversion_time(TISSUES["csf"].t1, repetition_time=repetition_time, echo_time=echo_time)
    return _inversion_recovery(repetition_time, echo_time, null * rng.uniform(0.97, 1.03))


def _inversion_recovery(repetition_time: float, echo_time: float, inversion_time: float) -> Protocol:
    times = {"repetition_time": repetition_time, "echo_time": echo_time, "inversion_time": inversion_time}
    return Protocol("IR", times, lambda t: float(inversion_recovery_spin_echo(t.proton_density, t.t1, t.t2, **times)))
