"""Compare ways to choose the weight of total variation, in fields whose truth is known.

    python docs/measure_weights.py FIELDS

FIELDS is a folder by ``prepare qsm-labels``, or a datalist of such fields. Printed is the NRMSE (percent, means
subtracted) with the weight that follows from the noise (:func:`weight_for_noise`), with that of the discrepancy
principle (the largest weight with which the map's field is as near to the measured one as its noise), both with the
noise that is estimated from the field, and with the best of :data:`WEIGHTS`, which nobody knows without the truth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from monai.transforms import Compose, CropForegroundd

from mri_attention.datasets import find_cases
from mri_attention.metrics.susceptibility_error import demeaned_error
from mri_attention.operators import DipoleConvolution
from mri_attention.operators.dipole_inversion import NamedSolver, weight_for_noise
from mri_attention.operators.field_noise import estimate_field_noise
from mri_attention.transforms import LoadLocalFieldd, LoadMapd

WEIGHTS = 1e-5 * 2.0 ** np.arange(-1, 8)  # ppm mm
PADDING = 1.25  # as in the bundle


class Field:
    """A field with its truth, in the box of its brain."""

    def __init__(self, case: dict[str, object]) -> None:
        load = Compose(
            [
                LoadLocalFieldd(keys="image"),
                LoadMapd(keys="label"),
                CropForegroundd(["image", "label", "mask"], "mask", margin=8, k_divisible=8, allow_smaller=True),
            ]
        )
        data = load(case)
        self.values, self.truth, self.mask = (
            torch.as_tensor(data[key]).as_subclass(torch.Tensor).float()[None] for key in ("image", "label", "mask")
        )
        self.geometry = data["voxel_size"], data["b0_direction"]
        self.noise = estimate_field_noise(self.values, self.mask, *self.geometry)
        self.convolve = DipoleConvolution(self.values.shape[2:], *self.geometry)

    def invert(self, weight: float, start: torch.Tensor | None = None) -> tuple[torch.Tensor, float, float]:
        """Return the map with a weight, its NRMSE, and how far its field is from the measured one (noise is 1)."""
        solver = NamedSolver("total_variation", weight=weight, padding=PADDING, n_iterations=120, start=start)
        chi = solver(self.values, *self.geometry, self.mask)
        inside = self.mask[0, 0].numpy() > 0
        rest = (self.values - self.convolve(chi))[0, 0].numpy()[inside]
        error = demeaned_error(chi[0, 0].numpy(), self.truth[0, 0].numpy(), inside)
        return chi, error, float(rest.std() / self.noise)

    def invert_all(self, weights: np.ndarray) -> np.ndarray:
        """Return NRMSE and distance of each weight, from the largest on, with each map as start of the next."""
        chi, found = None, []
        for weight in weights[::-1]:
            chi, *numbers = self.invert(float(weight), chi)
            found.append(numbers)
        return np.array(found[::-1])


def discrepancy(distances: np.ndarray) -> float:
    """Return the weight at which the distance is 1, between those of :data:`WEIGHTS`, or the nearest of them."""
    return float(np.exp(np.interp(1.0, np.maximum.accumulate(distances), np.log(WEIGHTS))))


def main(fields: Path) -> None:
    """Print a row for each field."""
    sys.stdout.write("field\tnoise (ppb)\tby the noise\tdiscrepancy principle\tbest of all\t" + "weights\n")
    for case in find_cases(fields, ("localfield",), "Chimap"):
        field = Field(dict(case))
        found = field.invert_all(WEIGHTS)
        weights = float(weight_for_noise(field.noise, field.geometry[0], field.mask)), discrepancy(found[:, 1])
        errors = [field.invert(weight)[1] for weight in weights] + [found[:, 0].min()]
        told = ", ".join(f"{weight:.2g}" for weight in (*weights, WEIGHTS[found[:, 0].argmin()]))
        row = [str(case["subject"]), f"{1000 * float(field.noise):.2f}", *(f"{error:.1f}" for error in errors), told]
        sys.stdout.write("\t".join(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
