"""Fit how much of the network's correction of a susceptibility map is right, by the noise of the field.

    python docs/measure_share.py FIELDS TOTAL_VARIATION NETWORK [FIRST SLOPE]

FIELDS is a folder by ``prepare qsm-labels``; the others are what ``evaluate`` wrote of it with ``--overlay
solvers/total_variation`` and with the network, whose share was FIRST + SLOPE log(noise / ppb). By default it is that of
the weights that ship, which is zero below 0.3 ppb, where nothing can be told; ``1 0`` has none of these gaps. Fitted is
``share = a + b log(noise / ppb)``, from 0 to 1.5, that makes the sum over heads of the squared error, relative to that
of total variation, least. Printed for each head: the NRMSE (percent, means subtracted) of total variation, with the
whole correction, and with the share fitted on the others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.optimize import minimize

from mri_attention.networks.nets import FAQSMRefiner
from mri_attention.networks.nets.qsm_refiner import MOST

SHIPPED = (FAQSMRefiner(channels=(4, 6)).share, FAQSMRefiner(channels=(4, 6)).share_by_level)
STARTS = ((0.8, 0.4), (0.6, 0.6), (1.0, 0.2))


def share(noise: float, first: float, slope: float) -> float:
    """Return the share of the correction at a noise (ppb)."""
    return float(np.clip(first + slope * np.log(noise), 0, MOST))


class Head:
    """What the error of one head depends on."""

    def __init__(self, name: str, fields: Path, classical: Path, corrected: Path, given: tuple[float, float]) -> None:
        def load(path: Path) -> np.ndarray:
            values = np.asarray(nib.load(path).dataobj, dtype=float)[inside]
            return values - values.mean()

        derived = fields / "derivatives" / "qsm" / name / "anat"
        inside = np.asarray(nib.load(derived / f"{name}_desc-brain_mask.nii.gz").dataobj) > 0
        truth = load(derived / f"{name}_Chimap.nii.gz")
        found = corrected / name / "anat" / f"{name}_Chimap.nii.gz"
        first = load(classical / name / "anat" / found.name)
        self.name = name
        self.noise = 1000 * json.loads(found.with_name(f"{name}_Chimap.json").read_text())["FieldNoise"]
        correction = (load(found) - first) / share(self.noise, *given)
        missing = truth - first
        self.terms = [float(x @ y / (truth @ truth)) for x, y in ((missing, missing), (correction, missing))]
        self.terms.append(float(correction @ correction / (truth @ truth)))

    def error(self, part: float) -> float:
        """Return the squared relative error with this part of the correction."""
        alone, both, squared = self.terms
        return alone - 2 * part * both + part**2 * squared


def fit(heads: list[Head]) -> tuple[float, float]:
    """Return the first number and the slope of the share."""

    def loss(numbers: np.ndarray) -> float:
        return sum(head.error(share(head.noise, *numbers)) / head.error(0) for head in heads)

    found = min((minimize(loss, start, method="Nelder-Mead") for start in STARTS), key=lambda result: result.fun)
    return float(found.x[0]), float(found.x[1])


def main(fields: Path, classical: Path, corrected: Path, given: tuple[float, float]) -> None:
    """Print a row for each head, their means and the fit to all."""
    names = sorted(path.name for path in fields.glob("sub-*"))
    heads = [Head(name, fields, classical, corrected, given) for name in names]
    rows = []
    for head in heads:
        others = share(head.noise, *fit([other for other in heads if other is not head]))
        rows.append([100 * head.error(part) ** 0.5 for part in (0.0, 1.0, others)])
        told = "\t".join(f"{value:.1f}" for value in rows[-1])
        sys.stdout.write(f"{head.name}\t{head.noise:.2f} ppb\t{told}\tshare {others:.2f}\n")
    sys.stdout.write("mean\t\t" + "\t".join(f"{value:.1f}" for value in np.mean(rows, axis=0)) + "\n")
    sys.stdout.write("share = {:.2f} + {:.2f} log(noise / ppb)\n".format(*fit(heads)))


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:4]]
    numbers = [float(argument) for argument in sys.argv[4:6]] or SHIPPED
    main(folders[0], folders[1], folders[2], (numbers[0], numbers[1]))
