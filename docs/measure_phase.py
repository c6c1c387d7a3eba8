"""Measure what comes of phase: maps from it against those from the true local field, of simulated heads.

    python docs/measure_phase.py ../shared/data/qsm_phantom [--spacing 2] [--case 0] [--methods '"vsharp";"pdf"']

Echoes of a head with skull, air and cavities around its brain, wraps and noise go the way of ``predict --phase``
(mask of the brain given), then total variation; the same total variation has the true local field, with noise as that
of the fit, in the same mask. Root mean square errors over that mask, means subtracted.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from mri_attention.operators.dipole_convolution import DipoleConvolution
from mri_attention.operators.dipole_inversion.solvers import NamedSolver
from mri_attention.operators.field_units import units_per_ppm
from mri_attention.scripts.preparations.qsm_labels import read_head
from mri_attention.simulation.gradient_echo import EchoProtocol
from mri_attention.simulation.phase_subject import simulate_scan, write_scan
from mri_attention.transforms.load_phase import LoadPhased

SOLVER = {"method": "total_variation", "n_iterations": 120}


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("mri_attention").setLevel(logging.INFO)
    parser.add_argument("source", type=Path)
    parser.add_argument("--spacing", type=float, default=2.0)
    parser.add_argument("--case", type=int, default=0)
    parser.add_argument("--direction", default="0,0,1")
    parser.add_argument("--snr", type=float, default=60.0)
    parser.add_argument("--weight", type=float, default=0.0002)
    parser.add_argument("--methods", default='"single_step";"vsharp";"pdf"', help="JSON each, semicolons between")
    options = parser.parse_args()
    direction = [float(part) for part in options.direction.split(",")]
    name, (chi, brain, affine, _) = read_head(options.source, options.case)
    protocol = EchoProtocol(snr=options.snr)
    rng = np.random.default_rng(options.case)
    scan = simulate_scan(chi, brain, affine, direction, (options.spacing,) * 3, protocol, rng)
    with tempfile.TemporaryDirectory() as folder:
        write_scan(Path(folder), name, scan, protocol)
        mask = Path(folder) / "mask.nii.gz"
        nib.save(nib.Nifti1Image(scan.brain.astype(np.uint8), scan.affine), mask)
        anat = Path(folder) / name / "anat"
        phase, magnitude = (
            [str(p) for p in sorted(anat.glob(f"*part-{part}_MEGRE.nii.gz"))] for part in ("phase", "mag")
        )
        for method in options.methods.split(";"):
            began = time.monotonic()
            load = LoadPhased(background=json.loads(method), b0_direction=direction)
            loaded = load({"image": phase[:1], "phase": phase, "magnitude": magnitude, "mask": str(mask)})
            seconds = time.monotonic() - began
            report(method, loaded, scan, options.weight, seconds)


def report(method: str, loaded: dict, scan, weight: float, seconds: float) -> None:  # noqa: ANN001
    """Print errors of the field and of the maps."""
    mask = (loaded["mask"].as_tensor()[None] > 0).float()
    size, direction = loaded["voxel_size"], loaded["b0_direction"]
    chi = torch.from_numpy(scan.susceptibility)[None, None]
    inside = torch.from_numpy(scan.brain)[None, None]
    local = DipoleConvolution(chi.shape[-3:], size, direction, kernel="image")(chi * inside)
    noise = loaded["noise"].as_tensor()[None] * torch.randn(chi.shape, generator=torch.Generator().manual_seed(0))
    solve = NamedSolver(**SOLVER, weight=weight)
    found = loaded["image"].as_tensor()[None]
    maps = {"phase": solve(found, size, direction, mask)}
    maps["true field"] = solve((local + noise) * mask, size, direction, mask)
    errors = {way: rmse(values, chi, mask) for way, values in maps.items()}
    field = rmse(found, local, mask)
    total = loaded["fieldmap"].as_tensor()[None] / units_per_ppm("hz", 3.0) - torch.from_numpy(scan.field)
    off = (total - total[mask > 0].median())[mask > 0].abs()
    told = ", ".join(f"{way} {error:.2f} %" for way, error in errors.items())
    sys.stdout.write(
        f"{method}: field {field:.2f} %, maps: {told}, ratio {errors['phase'] / errors['true field']:.3f}, "
        f"total field off by {1e3 * float(off.square().mean().sqrt()):.2f} ppb, {int((off > 0.1).sum())} beyond 100, "
        f"{100 * float(mask.sum() / inside.sum()):.1f} % of the mask, {seconds:.0f} s\n"
    )


def rmse(values: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor) -> float:
    """Return the error in percent of the truth's norm, means subtracted."""
    one, other = (v[mask > 0] - v[mask > 0].mean() for v in (values, truth))
    return 100 * float((one - other).norm() / other.norm())


if __name__ == "__main__":
    main()
