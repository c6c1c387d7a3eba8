"""DICOM frames as a stack of slices: sorted by position, refused where they are none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dicom_frames import DIFFERENCES, Frame
from .input_error import InputError

logger = logging.getLogger(__name__)

SAME_PLACE = 0.01  # mm, between two slices
SAME_DIRECTION = 0.01  # of direction cosines, which files round
DISTANCE_TOLERANCE = 0.05  # of the spacing
SHEAR_TOLERANCE = 0.25  # of a pixel, between first and last slice
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NEEDED = {
    "ImagePositionPatient": "order, position and spacing of the slices are unknown",
    "ImageOrientationPatient": "order, position and spacing of the slices are unknown",
    "PixelSpacing": "the size of voxels is unknown",
}
WHOLE_STACK = "export the series again, with the geometry of its slices"
ONE_VOLUME = "give one of them alone; dcm2niix makes a file of each"


def sorted_stack(path: Path, frames: Sequence[Frame]) -> tuple[list[Frame], NDArray[np.float64]]:
    """Return frames sorted along the normal of their planes, and the affine (RAS, mm) of ``(column, row, slice)``.

    The equation of the standard, PS3.3 C.7.6.2.1.1: a voxel lies at ``ImagePositionPatient`` plus column times the
    first direction and row times the second; from slice to slice the position moves by a constant vector.

    Args:
        path: named in errors.
        frames: all of a file or folder.

    Raises:
        InputError: if frames are of several series, sizes or orientations, of colors or a mosaic, lack position,
            orientation or pixel spacing, lie at the same place, or not at equal distances.
    """
    _check_kind(path, frames)
    directions = _directions(path, frames)
    positions = _numbers(path, frames, "ImagePositionPatient", 3)
    spacing = _numbers(path, frames, "PixelSpacing", 2)[0]
    order = np.argsort(positions @ directions[2], kind="stable")
    stack, positions = [frames[index] for index in order], positions[order]
    _check_places(path, stack, positions @ directions[2])
    _check_distances(path, positions, directions[2])
    affine = np.eye(4)
    affine[:3, :3] = np.stack([*(directions[:2] * spacing[::-1, None]), _step(path, stack, directions[2], spacing)], 1)
    affine[:3, 3] = positions[0]
    return stack, LPS_TO_RAS @ affine


def _check_kind(path: Path, frames: Sequence[Frame]) -> None:
    if mosaic := next((frame for frame in frames if "MOSAIC" in _listed(frame.header.get("ImageType"))), None):
        problem = "a Siemens mosaic, all slices in one picture"
        raise InputError.at(mosaic.file, problem, "convert the series with dcm2niix and give the NIfTI file")
    series = {str(frame.header.get("SeriesInstanceUID")): frame.header for frame in frames}
    if len(series) > 1:
        names = [
            f"{header.get('SeriesNumber', '')} {header.get('SeriesDescription', '')}" for header in series.values()
        ]
        told = ", ".join(dict.fromkeys(filter(None, map(str.strip, names))))
        problem = "more than one DICOM series in this folder" + (f" ({told[:120]})" if told else "")
        raise InputError.at(path, problem, "give a folder with one")
    if colored := next((frame for frame in frames if _n_values(frame) > 1), None):
        problem = f"{_n_values(colored)} values per voxel (color?)"
        raise InputError.at(colored.file, problem, "give one real value per voxel")
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        told = ", ".join(f"{x} x {y}" for x, y in sorted(sizes))
        raise InputError.at(path, f"images of several sizes ({told})", "give a folder with one stack of slices")


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(map(str, value)) if isinstance(value, Sequence) else []


def _n_values(frame: Frame) -> int:
    has_colors = frame.header.get("PhotometricInterpretation") == "PALETTE COLOR"
    told = frame.numbers("SamplesPerPixel", 1)
    return 3 if has_colors else 1 if told is None else int(told[0])


def _numbers(path: Path, frames: Sequence[Frame], keyword: str, n: int) -> NDArray[np.float64]:
    """Return ``n`` numbers of each frame.

    Raises:
        InputError: if a frame does not have them.
    """
    found = [frame.numbers(keyword, n) for frame in frames]
    lacking = [frame for frame, numbers in zip(frames, found, strict=True) if numbers is None]
    if lacking:
        some = f" in {len(lacking)} of {len(frames)} images, as {_name(lacking[0])}"
        problem = f"no {keyword}{some if len(lacking) < len(frames) else ''}: {NEEDED[keyword]}"
        raise InputError.at(path, problem, WHOLE_STACK)
    return np.array([numbers for numbers in found if numbers is not None])


def _name(frame: Frame) -> str:
    return frame.file.name if frame.index == 0 else f"frame {frame.index + 1} of {frame.file.name}"


def _directions(path: Path, frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Return unit vectors (LPS) along columns, rows and slices, one a row."""
    cosines = _numbers(path, frames, "ImageOrientationPatient", 6).reshape(-1, 2, 3)
    n_others = int((np.abs(cosines - cosines[0]).max((1, 2)) > SAME_DIRECTION).sum())
    if n_others:
        problem = f"images of several orientations (localizers?): {n_others} of {len(frames)} differ from the first"
        raise InputError.at(path, problem, "give a folder with one stack of slices")
    first = cosines[0]
    if not np.allclose(first @ first.T, np.eye(2), rtol=0, atol=2 * SAME_DIRECTION):
        problem = f"the orientation {first.ravel().tolist()} is not of two perpendicular unit vectors"
        raise InputError.at(path, problem, WHOLE_STACK)
    directions = first / np.linalg.norm(first, axis=1, keepdims=True)  # files round them
    return np.stack([*directions, np.cross(*directions)])


def _check_places(path: Path, stack: Sequence[Frame], places: NDArray[np.float64]) -> None:
    """Refuse several images at one place (mm along the stack, ascending)."""
    groups = np.split(np.arange(len(stack)), np.flatnonzero(np.diff(places) > SAME_PLACE) + 1)
    counts = [len(group) for group in groups]
    if max(counts) == 1:
        return
    twins = [stack[index] for index in groups[int(np.argmax(counts))]]
    low, high = (COUNTS[n] if n < len(COUNTS) else str(n) for n in (min(counts), max(counts)))
    n_images = high if low == high else f"{low} to {high}"
    problem = f"{n_images} images at each position" + _difference(twins)
    raise InputError.at(path, problem, ONE_VOLUME)


def _difference(twins: Sequence[Frame]) -> str:
    """Tell in what images of one place differ."""
    ids = [(str(frame.header.get("SOPInstanceUID", frame.file)), frame.index) for frame in twins]
    if len(set(ids)) < len(ids):
        return f" (copies of the same file, {_name(twins[0])} and {_name(twins[1])})"
    for keyword, text in DIFFERENCES.items():
        values = list(dict.fromkeys(_told(frame.header[keyword]) for frame in twins if keyword in frame.header))
        if len(values) > 1:
            return f" ({text.format(', '.join(values[:4]) + (', ...' if len(values) > 4 else ''))})"
    return ""


def _told(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{float(value):g}"
    return "/".join(_listed(value)) or str(value)


def _check_distances(path: Path, positions: NDArray[np.float64], normal: NDArray[np.float64]) -> None:
    if len(positions) < 3:
        return
    regular = np.linspace(positions[0], positions[-1], len(positions))
    spacing = float(np.ptp(positions @ normal)) / (len(positions) - 1)
    along = np.abs((positions - regular) @ normal).max()
    if along > DISTANCE_TOLERANCE * spacing:
        gaps = np.diff(positions @ normal)
        span = f"from {gaps.min():.4g} to {gaps.max():.4g} mm"
        problem = f"distances between DICOM slices differ by up to {np.ptp(gaps):.3g} mm, {span}"
        raise InputError.at(path, problem, "export the whole series, a slice seems to be missing")
    aside = np.linalg.norm(np.cross(positions - regular, normal), axis=1).max()
    if aside > max(DISTANCE_TOLERANCE * spacing, SAME_PLACE):
        problem = f"slices do not lie behind each other, but up to {aside:.3g} mm aside"
        raise InputError.at(path, problem, "give a folder with one stack of slices")


def _step(
    path: Path, stack: Sequence[Frame], normal: NDArray[np.float64], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the vector from slice to slice: along the normal, unless slices are shifted against each other."""
    if len(stack) == 1:
        found = (stack[0].numbers(name, 1) for name in ("SpacingBetweenSlices", "SliceThickness"))
        return normal * next((abs(float(n[0])) for n in found if n is not None and n[0]), 1.0)
    first, last = (_numbers(path, [frame], "ImagePositionPatient", 3)[0] for frame in (stack[0], stack[-1]))
    whole = last - first
    aside = float(np.linalg.norm(np.cross(whole, normal)))
    if aside <= SHEAR_TOLERANCE * spacing.min():
        return normal * (np.linalg.norm(whole) / (len(stack) - 1))
    angle = np.degrees(np.arctan2(aside, whole @ normal))
    logger.warning("%s: slices are shifted against each other, the stack leans by %.3g degrees", path, angle)
    return np.asarray(whole / (len(stack) - 1))
