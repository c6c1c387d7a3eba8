"""One subject with known susceptibility as phase and magnitude of gradient echoes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..datasets.bids import MAKER, write_description
from ..datasets.volumes import write_volume
from .gradient_echo import EchoProtocol, Volume, simulate_echoes, surround, total_field
from .qsm_subject import average_to

MARGIN = 22.0  # mm of skull, scalp and air around the brain
T2_STAR = {"brain": 0.05, "around": 0.03}  # s
IRON = 120.0  # 1/s of the signal's decay per ppm at 3 T: Langkammer et al. 2012, doi:10.1016/j.neuroimage.2012.05.049


@dataclass(frozen=True)
class Scan:
    """What was simulated, on one grid ``(x, y, z)``.

    Attributes:
        phase: rad, ``(n, x, y, z)``.
        magnitude: of the same shape.
        field: ppm, of all sources.
        susceptibility: ppm, of the brain.
        brain: its mask.
        affine: voxel-to-world matrix (mm).
        b0_direction: in voxel axes.
    """

    phase: Volume
    magnitude: Volume
    field: Volume
    susceptibility: Volume
    brain: NDArray[np.bool_]
    affine: NDArray[np.float64]
    b0_direction: tuple[float, ...]


def simulate_scan(
    susceptibility: ArrayLike,
    brain: ArrayLike,
    affine: NDArray[np.float64],
    b0_direction: Sequence[float],
    spacing: Sequence[float] | None,
    protocol: EchoProtocol,
    rng: np.random.Generator,
) -> Scan:
    """Simulate the echoes of a brain with known susceptibility and of a skull, scalp and air around it.

    Maps are averaged to the spacing first. T2* follows susceptibility: more iron decays faster.

    Args:
        susceptibility: ppm, ``(x, y, z)``; what is outside of the brain is replaced.
        brain: mask.
        affine: axis-aligned voxel-to-world matrix (mm).
        b0_direction: in voxel axes.
        spacing: voxel size (mm); None for that of the map.
        protocol: of the echoes.
        rng: of noise and offset.
    """
    inside = np.asarray(brain) > 0
    maps = np.stack([np.asarray(susceptibility, np.float32) * inside, inside.astype(np.float32)])
    averaged, affine = average_to(maps, affine, spacing)
    sizes = np.abs(np.diag(affine)[:3])
    averaged, affine = _padded(averaged, affine, sizes)
    head = averaged[1] > 0.5
    chi = np.asarray(averaged[0] / np.maximum(averaged[1], 0.5) * head, np.float32)
    around, signal = surround(head, list(sizes))
    field = total_field(chi + around, head, list(sizes), list(b0_direction), protocol.shim)
    magnitude = signal + head * (1 + 0.5 * np.clip(chi, -0.1, 0.1))
    rate = np.where(head, 1 / T2_STAR["brain"] + IRON * np.clip(chi, 0, 0.3), 1 / T2_STAR["around"])
    phase, echoes = simulate_echoes(field, magnitude, 1 / rate, protocol, rng)
    return Scan(
        phase, echoes, np.asarray(field, np.float32), chi, head, affine, tuple(float(part) for part in b0_direction)
    )


def write_scan(output: Path, name: str, scan: Scan, protocol: EchoProtocol, pipeline: str = "qsm") -> None:
    """Write ``echo-N_part-phase_MEGRE`` (rad), ``part-mag`` and sidecars; in derivatives ``Chimap`` and the mask."""
    truth = output / "derivatives" / pipeline / name / "anat"
    write_volume(truth / f"{name}_Chimap.nii.gz", scan.susceptibility, scan.affine)
    write_volume(truth / f"{name}_desc-brain_mask.nii.gz", scan.brain, scan.affine, dtype="uint8")
    write_description(output / "derivatives" / pipeline, "Susceptibility that made the phase", generated_by=MAKER)
    anat = output / name / "anat"
    direction = np.asarray(scan.b0_direction) / np.linalg.norm(scan.b0_direction)
    for number, time in enumerate(protocol.echo_times):
        for part, values in (("phase", scan.phase), ("mag", scan.magnitude)):
            file = write_volume(
                anat / f"{name}_echo-{number + 1}_part-{part}_MEGRE.nii.gz", values[number], scan.affine
            )
            told = {
                "EchoTime": time,
                "MagneticFieldStrength": protocol.b0,
                "B0Direction": direction.round(6).tolist(),
                "B0DirectionFrame": "voxel axes",
                "Simulated": True,
                **({"Units": "rad"} if part == "phase" else {}),
            }
            sidecar = file.with_name(file.name.replace(".nii.gz", ".json"))
            sidecar.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _padded(
    maps: NDArray[np.float32], affine: NDArray[np.float64], sizes: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Crop to the brain, the last of the maps, and put the margin around it."""
    places = np.argwhere(maps[-1] > 0.5)
    low, high = places.min(0), places.max(0) + 1
    margin = np.ceil(MARGIN / sizes).astype(int)
    cut = maps[(slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))]
    out = affine.copy()
    out[:3, 3] += affine[:3, :3] @ (low - margin)
    return np.pad(cut, [(0, 0), *((m, m) for m in margin)]), out
