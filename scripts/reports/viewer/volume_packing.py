"""Volumes cropped to the head and packed into bytes, so that all of a page fit into a file that can be sent."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .shown_volumes import Shown

MAX_BYTES = 15_000_000
"""Of all packed volumes: 20 MB as text, beside which NiiVue takes 2.3 MB."""

MARGIN = 4  # voxels around the head
FOREGROUND = 0.05  # of the brightest
EXTREMES = (0.02, 99.98)  # percentiles of the foreground, beyond which values become the ends of the range
ALIKE = 1.4  # times the smallest voxel edge, up to which an axis counts as one of the finest


@dataclass(frozen=True)
class Packed:
    """What a page holds of its volumes.

    Attributes:
        files: a compressed NIfTI file of each, 8 bits a voxel.
        affine: of all (RAS, mm).
        shape: of all.
        shrunk: voxels averaged to one along each axis.
    """

    files: list[bytes]
    affine: NDArray[np.float64]
    shape: tuple[int, ...]
    shrunk: tuple[int, ...]


def pack(volumes: Sequence[Shown], affine: NDArray[np.float64], max_bytes: int = MAX_BYTES) -> Packed:
    """Crop ``volumes`` of one grid to what they show, and pack them; average voxels only if they are too large."""
    box = _head_box(volumes)
    arrays = [volume.values[box] for volume in volumes]
    affine = affine @ _shift([extent.start for extent in box])
    shrunk = np.ones(3, dtype=int)
    while True:
        files = [_nifti(array, volume, affine) for array, volume in zip(arrays, volumes, strict=True)]
        if sum(map(len, files)) <= max_bytes or max(arrays[0].shape) <= 2:
            return Packed(files, affine, arrays[0].shape, tuple(shrunk.tolist()))
        factors = _finest_axes(affine, arrays[0].shape)
        arrays = [_averaged(array, factors, volume) for array, volume in zip(arrays, volumes, strict=True)]
        affine = affine @ _shift((factors - 1) / 2) @ np.diag([*factors, 1.0])
        shrunk = shrunk * factors


def _head_box(volumes: Sequence[Shown]) -> tuple[slice, ...]:
    shown = np.zeros(volumes[0].values.shape, dtype=bool)
    for volume in volumes:
        size = abs(volume.values.astype(np.float32))
        shown |= size > (0 if volume.is_mask else FOREGROUND * np.percentile(size, 99.5))
    box = []
    for axis in range(3):
        hit = np.flatnonzero(shown.any(axis=tuple({0, 1, 2} - {axis})))
        first, last = (int(hit[0]), int(hit[-1])) if len(hit) else (0, shown.shape[axis] - 1)
        box.append(slice(max(first - MARGIN, 0), min(last + 1 + MARGIN, shown.shape[axis])))
    return tuple(box)


def _shift(voxels: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = voxels
    return matrix


def _finest_axes(affine: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.int_]:
    """Return 2 for the axes of the smallest voxel edges, else 1."""
    sizes = np.where(np.array(shape) > 1, np.linalg.norm(affine[:3, :3], axis=0), np.inf)
    return np.where(sizes <= ALIKE * sizes.min(), 2, 1)


def _averaged(array: NDArray[np.float32], factors: NDArray[np.int_], volume: Shown) -> NDArray[np.float32]:
    """Average blocks; of masks take the largest value, so that small lesions stay."""
    padding = [(0, -n % int(factor)) for n, factor in zip(array.shape, factors, strict=True)]
    padded = np.pad(array, padding, mode="edge")
    shape = [size for n, factor in zip(padded.shape, factors, strict=True) for size in (n // factor, factor)]
    blocks = padded.reshape(shape)
    return blocks.max(axis=(1, 3, 5)) if volume.is_mask else blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def _nifti(array: NDArray[np.float32], volume: Shown, affine: NDArray[np.float64]) -> bytes:
    slope, zero = (1.0, 0) if volume.is_mask else _scaling(array, volume)
    codes = np.clip(np.rint(array / slope) + zero, 0, 255).astype(np.uint8)
    header = nib.Nifti1Header()
    header.set_data_shape(array.shape)
    header.set_data_dtype(np.uint8)
    header.set_qform(affine, 0)
    header.set_sform(affine, 1)
    header.set_xyzt_units("mm")
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = slope, -zero * slope
    content = header.binaryblock + bytes(4) + codes.tobytes(order="F")
    return gzip.compress(content, 6, mtime=0)


def _scaling(array: NDArray[np.float32], volume: Shown) -> tuple[float, int]:
    """Return the step between two codes, and the code of zero, which stays exactly zero."""
    inside = array[array != 0]
    ends = [np.percentile(inside, q, method="nearest") if inside.size else 0.0 for q in EXTREMES]
    low, high = min(0.0, float(ends[0]), volume.window[0]), max(0.0, float(ends[1]), volume.window[1])
    slope = _in_16_bits((high - low) / (255 if low == 0 else 254))
    return slope, round(-low / slope)


def _in_16_bits(step: float) -> float:
    """Round up to 16 binary digits, of which every multiple by a code is exact in the header's 24."""
    mantissa, exponent = math.frexp(step)
    return math.ldexp(math.ceil(mantissa * 2**16), exponent - 16)
