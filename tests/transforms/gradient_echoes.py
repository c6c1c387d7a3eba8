"""Files of gradient echoes of a ball with a source in it and one outside, for tests."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from mri_attention.operators import units_per_ppm
from tests.operators.phase.phantoms import ball, sphere_field

SHAPE, SIZES, CENTER = (36, 32, 24), (1.0, 1.0, 1.5), (17.5, 15.5, 17.25)
AFFINE = np.diag([*SIZES, 1.0])
B0 = 3.0
TIMES = (0.004, 0.010, 0.016)
PER_PPM = units_per_ppm("hz", B0)

Scale = Callable[[np.ndarray], np.ndarray]


def inside() -> np.ndarray:
    return ball(SHAPE, SIZES, CENTER, 14.0).numpy()


def local_field() -> np.ndarray:
    """Return the field (ppm) of two spheres inside, one of each sign, in closed form."""
    one = sphere_field(SHAPE, SIZES, (20.0, 15.0, 18.0), 3.0, 0.6)
    return (one + sphere_field(SHAPE, SIZES, (12.0, 17.0, 15.0), 2.5, -0.4)).numpy()


def signal(times: Sequence[float] = TIMES, noise: float = 0.005) -> np.ndarray:
    """Return the complex echoes ``(n, x, y, z)``."""
    background = sphere_field(SHAPE, SIZES, (17.0, 50.0, 10.0), 9.0, 9.0).numpy() + 0.3
    t = np.asarray(times)[:, None, None, None]
    clean = (inside() + 0.0) * np.exp(-t / 0.04 + 2j * math.pi * PER_PPM * (local_field() + background) * t + 0.4j)
    parts = np.random.default_rng(0).normal(size=(*clean.shape, 2))
    return clean + noise * (parts[..., 0] + 1j * parts[..., 1])


def identity(values: np.ndarray) -> np.ndarray:
    return values


def save(path: Path, values: np.ndarray, sidecar: dict[str, object] | None = None) -> Path:
    """Write ``(x, y, z)``, or ``(n, x, y, z)`` with echoes last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = values if values.ndim == 3 else np.moveaxis(values, 0, -1)
    nib.save(nib.Nifti1Image(data.astype(np.float32), AFFINE), path)
    if sidecar is not None:
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return path


def write_echoes(
    folder: Path, times: Sequence[float] = TIMES, scale: Scale = identity, suffix: str = "MEGRE", name: str = "sub-1"
) -> dict[str, list[str]]:
    """Write BIDS files of each echo with sidecars; return the paths of phase and magnitude."""
    echoes = signal(times)
    paths: dict[str, list[str]] = {"phase": [], "magnitude": []}
    for number, time in enumerate(times):
        told = {"EchoTime": time, "MagneticFieldStrength": B0}
        entity = f"_echo-{number + 1}" if len(times) > 1 else ""
        for part, short, values in (
            ("phase", "phase", scale(np.angle(echoes[number]))),
            ("magnitude", "mag", 1000 * np.abs(echoes[number])),
        ):
            file = folder / name / "anat" / f"{name}{entity}_part-{short}_{suffix}.nii.gz"
            paths[part].append(str(save(file, values, told)))
    return paths


def write_mask(path: Path) -> str:
    return str(save(path, inside().astype(np.float32)))


def error(found: torch.Tensor, mask: torch.Tensor) -> float:
    """Return the error of a local field relative to the truth, means subtracted, within a mask."""
    where = mask.numpy() > 0
    difference, truth = (found.numpy() - local_field())[where], local_field()[where]
    return float((difference - difference.mean()).std() / truth.std())
