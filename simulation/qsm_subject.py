"""One subject with known susceptibility as BIDS files: the field that a scanner would see, the map, the mask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation
from torch.nn import functional as F  # noqa: N812

from ..datasets.bids import MAKER, write_description
from ..datasets.regions import Regions, largest_share, write_region_names
from ..datasets.volumes import write_volume
from ..transforms.field_noise import RandFieldNoise
from .field_protocol import FieldProtocol as FieldProtocol
from .field_protocol import draw_protocol as draw_protocol
from .local_field import simulate_local_field
from .smooth_shapes import smooth_field

Volume = NDArray[np.float32]


def write_qsm_subject(  # noqa: PLR0913 - all that is known of one subject
    output: Path,
    name: str,
    susceptibility: ArrayLike,
    brain: ArrayLike,
    affine: NDArray[np.float64],
    protocol: FieldProtocol,
    rng: np.random.Generator,
    pipeline: str = "qsm",
    regions: Regions | None = None,
) -> None:
    """Write ``localfield`` (ppm) with its sidecar, and in derivatives ``Chimap`` (ppm) and ``desc-brain_mask``.

    With regions, ``dseg`` lies beside them, and the names in ``dseg.tsv`` at the root of the derivatives. Where voxels
    are averaged, each has the label with the largest share of it; outside of the mask is 0.

    The field is that of the sources in the brain, made at the resolution of the map and averaged over voxels with it;
    noise comes last. Field and map are zero outside of the (eroded) mask. Where noise depends on the magnitude, that is
    written as ``magnitude``. The affine written is turned such that B0 is the scanner's z axis.

    Args:
        output: BIDS folder.
        name: of the subject, with ``sub-``.
        susceptibility: ppm, ``(x, y, z)``.
        brain: mask, of the same shape.
        affine: axis-aligned voxel-to-world matrix (mm) of both.
        protocol: how the field is measured.
        rng: of the noise.
        pipeline: folder within ``derivatives``.
        regions: label map of the shape of the susceptibility, with names.

    Raises:
        ValueError: if the erosion leaves nothing.
    """
    voxel_size = np.abs(np.diag(affine)[:3])
    direction = np.asarray(protocol.b0_direction, float)
    field, mask = simulate_local_field(
        susceptibility,
        brain,
        list(voxel_size),
        list(direction),
        rng,
        snr=None,
        erosion=protocol.erosion,
        background=protocol.background,
    )
    maps = [np.asarray(susceptibility, np.float32) * mask, field, mask.astype(np.float32)]
    averaged, affine = average_to(np.stack(maps), affine, protocol.spacing)
    inside = averaged[2] > 0.5
    chi, field = (m / np.maximum(averaged[2], 0.5) * inside for m in averaged[:2])
    magnitude = inside * _magnitude(chi, float(affine[0, 0]), protocol.shading, rng)
    clean, field = field, _with_noise(field, magnitude, protocol, rng)
    affine = turned_to_scanner(affine, protocol.b0_direction)
    anat, derivatives = output / name / "anat", output / "derivatives" / pipeline
    if protocol.shading:
        write_volume(anat / f"{name}_magnitude.nii.gz", magnitude, affine)
    write_volume(anat / f"{name}_localfield.nii.gz", field, affine)
    (anat / f"{name}_localfield.json").write_text(
        json.dumps(_sidecar(protocol, direction, (field - clean)[inside]), indent=2) + "\n", encoding="utf-8"
    )
    write_volume(derivatives / name / "anat" / f"{name}_Chimap.nii.gz", chi, affine)
    write_volume(derivatives / name / "anat" / f"{name}_desc-brain_mask.nii.gz", inside, affine, dtype="uint8")
    if regions is not None:
        labels = largest_share(regions.labels, inside.shape) * inside
        write_volume(derivatives / name / "anat" / f"{name}_dseg.nii.gz", labels, affine, dtype="int16")
        write_region_names(derivatives, regions.names)
    write_description(derivatives, "Susceptibility that made the fields", generated_by=MAKER)


def average_to(
    maps: NDArray[np.float32], affine: NDArray[np.float64], spacing: Sequence[float] | None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Average ``(c, x, y, z)`` over voxels of about another size; return the new affine, of exactly their size."""
    if spacing is None:
        return maps, affine
    sizes, shape = np.abs(np.diag(affine)[:3]), maps.shape[1:]
    new_shape = [max(round(n * s / t), 1) for n, s, t in zip(shape, sizes, spacing, strict=True)]
    factors = np.array(shape) / new_shape
    out = affine.copy()
    out[:3, :3] = affine[:3, :3] * factors
    out[:3, 3] += affine[:3, :3] @ (factors / 2 - 0.5)
    return F.adaptive_avg_pool3d(torch.from_numpy(maps), tuple(new_shape)).numpy(), out


def turned_to_scanner(affine: NDArray[np.float64], b0_direction: Sequence[float]) -> NDArray[np.float64]:
    """Turn an affine such that a direction in voxel axes becomes the scanner's z axis."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    world = axes @ (np.asarray(b0_direction, float) / np.linalg.norm(b0_direction))
    axis = np.cross(world, [0.0, 0.0, 1.0])
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, world[2])
    turn = Rotation.from_rotvec(axis / length * angle if length > 1e-9 else [angle, 0, 0]).as_matrix()
    out = affine.copy()
    out[:3] = turn @ affine[:3]
    return out


def _magnitude(chi: Volume, spacing: float, shading: float, rng: np.random.Generator) -> Volume:
    """Magnitude of the signal, 1 at most: coils far away, and decay by iron, ``R2* = 125 / s per ppm`` at 20 ms."""
    if not shading:
        return np.ones_like(chi)
    far = smooth_field(chi.shape, spacing, 60.0, rng)
    far = (far - far.min()) / max(float(np.ptp(far)), 1e-6)
    return np.asarray((1 - shading * far) * np.exp(-2.5 * np.abs(chi)), dtype=np.float32)


def _with_noise(field: Volume, magnitude: Volume, protocol: FieldProtocol, rng: np.random.Generator) -> Volume:
    if protocol.snr is None:
        return field
    noise = RandFieldNoise((protocol.snr, protocol.snr), protocol.b0, protocol.echo_time)
    noise.set_random_state(int(rng.integers(2**31)))
    noisy = noise(torch.from_numpy(field)[None], torch.from_numpy(magnitude)[None])
    return noisy[0].numpy()


def _sidecar(protocol: FieldProtocol, direction: NDArray[np.float64], noise: Volume) -> dict[str, object]:
    return {
        "Units": "ppm",
        "B0Direction": (direction / np.linalg.norm(direction)).round(6).tolist(),
        "B0DirectionFrame": "voxel axes",
        "MagneticFieldStrength": protocol.b0,
        "EchoTime": protocol.echo_time,
        "SignalToNoiseRatio": protocol.snr,
        "FieldNoise": round(1000 * float(noise.std()), 4),
        "FieldNoiseUnits": "ppb",
        "ResidualBackground": round(1000 * protocol.background, 4),
        "ResidualBackgroundUnits": "ppb",
        "MagnitudeShading": round(protocol.shading, 4),
        "Simulated": True,
    }
