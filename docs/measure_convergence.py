"""Measure what it costs to stop total variation before its minimum, in fields whose truth is known.

    python docs/measure_convergence.py FIELDS

FIELDS is a folder by ``prepare qsm-labels``, or a datalist of such fields. Printed is the NRMSE (percent, means
subtracted) after at most 30, 60, 120 and 600 turns. The weight follows from the noise.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from measure_weights import PADDING, Field

from mri_attention.datasets import find_cases
from mri_attention.metrics.susceptibility_error import demeaned_error
from mri_attention.operators.dipole_inversion import NamedSolver, weight_for_noise

TURNS = {30: 0.02, 60: 0.02, 120: 0.02, 600: 1e-4}
"""At most, with the tolerance at which they end before."""


def invert(field: Field, n_iterations: int, tolerance: float) -> torch.Tensor:
    """Return the map of at most so many turns."""
    weight = float(weight_for_noise(field.noise, field.geometry[0], field.mask))
    options = {"weight": weight, "padding": PADDING, "n_iterations": n_iterations, "tolerance": tolerance}
    return NamedSolver("total_variation", **options)(field.values, *field.geometry, field.mask)


def error(field: Field, chi: torch.Tensor) -> float:
    """Return the NRMSE in percent."""
    return demeaned_error(chi[0, 0].numpy(), field.truth[0, 0].numpy(), field.mask[0, 0].numpy() > 0)


def main(fields: Path) -> None:
    """Print a row for each field."""
    sys.stdout.write("\t".join(["field", *(f"{n} turns" for n in TURNS)]) + "\n")
    for case in find_cases(fields, ("localfield",), "Chimap"):
        field = Field(dict(case))
        errors = [error(field, invert(field, *each)) for each in TURNS.items()]
        sys.stdout.write("\t".join([str(case["subject"]), *(f"{value:.1f}" for value in errors)]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
