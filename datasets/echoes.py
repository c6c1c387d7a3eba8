"""Phase and magnitude of gradient echoes from files, in the order of their echo times."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .dicom_echoes import Part, part_of, read_dicom_echoes
from .dicom_frames import is_dicom
from .input_error import InputError
from .plausible_units import checked_echo_time
from .sidecars import read_sidecar
from .volumes import as_volume, read_frames

if TYPE_CHECKING:
    from monai.data import MetaTensor
    from torch import Tensor

logger = logging.getLogger(__name__)

SAME_TIME = 1e-5  # s, of what files round
SAME_GRID = 1e-2  # mm
SAME = 0.01  # relative, of numbers that are given and told
NEGATIVE = 0.2  # of the largest value of a magnitude, which interpolation may have made
OTHER: dict[Part, str] = {"phase": "mag", "magnitude": "phase"}
"""What the names of BIDS have for the other part."""


class Echo(NamedTuple):
    """One image of one echo: ``(1, x, y, z)``, its time (s) where that is known, and what stands beside it."""

    image: MetaTensor
    echo_time: float | None
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Echoes:
    """Phase and magnitude of a scan.

    Attributes:
        phase: as stored, ``(n, x, y, z)``.
        magnitude: of the same shape.
        echo_times: s, ascending.
        first: phase of the first echo, with its geometry and header.
        told: what the sidecar, or DICOM header, of that tells.
        files: paths of all.
    """

    phase: Tensor
    magnitude: Tensor
    echo_times: list[float]
    first: MetaTensor
    told: Mapping[str, Any]
    files: list[str]


def read_echoes(
    phase: Sequence[Path | str],
    magnitude: Sequence[Path | str],
    echo_times: Sequence[float] | None = None,
    allow_nan: bool = False,
) -> Echoes:
    """Read the echoes of a scan: a file each, files of several along a fourth axis, or folders of DICOMs.

    One line of the log tells each echo whose sidecar or header has another time than was given.

    Args:
        phase: paths.
        magnitude: paths, of as many echoes, on the same grid.
        echo_times: s, of the echoes in their order; those of sidecars and DICOM headers if it is None.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.

    Raises:
        InputError: if a file cannot be used, is given twice, or phase and magnitude are not of the same echoes, grid
            and field strength.
    """
    if not phase or not magnitude:
        missing = "phase" if not phase else "magnitude"
        raise InputError.at(f"`{missing}`", "is not given", "give phase and magnitude of every echo")
    for part, paths in (("phase", phase), ("magnitude", magnitude)):
        _check_once(part, paths)
    timed = echo_times is None
    phases = read_part(phase, "phase", allow_nan, timed)
    magnitudes = read_part(magnitude, "magnitude", allow_nan, timed)
    _check_magnitude(magnitude[0], magnitudes)
    _check_same(phase[0], phases, magnitude[0], magnitudes)
    _check_strengths(phases)
    times = _times(phase[0], phases, magnitudes, echo_times)
    if echo_times is not None:
        _tell_of_other_times(phases, echo_times)
    order = sorted(range(len(times)), key=times.__getitem__)
    first = phases[order[0]]
    import torch  # takes seconds to import

    stacked, weights = (torch.cat([part[n].image.as_tensor() for n in order]) for part in (phases, magnitudes))
    files = [str(path) for path in dict.fromkeys([*phase, *magnitude])]
    return Echoes(stacked, weights, [times[n] for n in order], first.image, first.told, files)


def read_part(paths: Sequence[Path | str], part: Part, allow_nan: bool = False, timed: bool = True) -> list[Echo]:
    """Read the phase, or the magnitude, of all echoes in the order of the files.

    Args:
        paths: of files or folders.
        part: what they are, which their sidecars may not contradict.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        timed: read echo times of sidecars.

    Raises:
        InputError: if a file cannot be used, or is of the other part.
    """
    return [echo for path in map(Path, paths) for echo in _read(path, part, allow_nan, timed)]


def _read(path: Path, part: Part, allow_nan: bool, timed: bool) -> list[Echo]:
    if path.exists() and (path.is_dir() or is_dicom(path)):
        found = read_dicom_echoes(path, part)
        return [Echo(as_volume(path, echo.image, allow_nan), echo.echo_time, echo.told) for echo in found]
    frames, told = read_frames(path, allow_nan=allow_nan), read_sidecar(path)
    if part_of(told) not in (part, None) or f"_part-{OTHER[part]}_" in path.name:
        problem = f"by its name or sidecar it is no {part}"
        raise InputError.at(path, problem, "give phase as `phase` and magnitude as `magnitude`")
    place = f"EchoTime of {path}"
    given = told.get("EchoTime") if timed else None
    listed = given if isinstance(given, list) else [given]
    if len(listed) != len(frames) and given is not None:
        problem = f"{len(listed)} echo times for {len(frames)} echoes"
        raise InputError.at(place, problem, "write a list of one for each echo, or give `echo_time`")
    times = [None if time is None else checked_echo_time(time, place) for time in listed]
    return [Echo(frame, time, told) for frame, time in zip(frames, times * (len(frames) // len(times)), strict=True)]


def _check_once(part: str, paths: Sequence[Path | str]) -> None:
    twice = [path for path, count in Counter(Path(path).resolve() for path in paths).items() if count > 1]
    if twice:
        raise InputError.at(twice[0], f"is given twice as `{part}`", "give each echo once")


def _check_strengths(phases: Sequence[Echo]) -> None:
    """Refuse echoes of several field strengths (T)."""
    told = [(echo, echo.told.get("MagneticFieldStrength")) for echo in phases]
    strengths = [(echo, value) for echo, value in told if isinstance(value, int | float)]
    for echo, value in strengths[1:]:
        first = strengths[0][1]
        if abs(value - first) > SAME * abs(first):
            problem = f"its sidecar or header tells {value:g} T, that of another echo {first:g} T"
            raise InputError.at(echo.image.meta["filename_or_obj"], problem, "give echoes of one scan")


def _tell_of_other_times(phases: Sequence[Echo], given: Sequence[float]) -> None:
    """Warn where an echo time (s) that was given is not that of the sidecar or DICOM header."""
    frames: Counter[str] = Counter()
    for echo, time in zip(phases, given, strict=True):
        place, told = str(echo.image.meta["filename_or_obj"]), echo.told.get("EchoTime")
        number, frames[place] = frames[place], frames[place] + 1
        if isinstance(told, list):
            told = told[number] if number < len(told) else None
        if isinstance(told, int | float) and abs(time - told) > SAME * abs(told):
            message = "%s: its sidecar or header tells %g, `echo_time` %g; the latter is used"
            logger.warning(message, place, told, time)


def _check_magnitude(path: Path | str, magnitudes: list[Echo]) -> None:
    for echo in magnitudes:
        low, high = float(echo.image.min()), float(echo.image.max())
        if low < -NEGATIVE * max(high, 0.0):
            problem = f"values from {low:g} to {high:g} are no magnitude"
            raise InputError.at(path, problem, "give phase as `phase` and magnitude as `magnitude`")


def _check_same(phase: Path | str, phases: list[Echo], magnitude: Path | str, magnitudes: list[Echo]) -> None:
    if len(phases) != len(magnitudes):
        problem = f"{len(magnitudes)} echoes of magnitude, but {len(phases)} of phase"
        raise InputError.at(magnitude, problem, "give phase and magnitude of every echo")
    first = phases[0].image
    for echo, path in [*((echo, phase) for echo in phases), *((echo, magnitude) for echo in magnitudes)]:
        same = first.shape == echo.image.shape and np.allclose(first.affine, echo.image.affine, rtol=0, atol=SAME_GRID)
        if not same:
            shapes = tuple(echo.image.shape[1:]), tuple(first.shape[1:])
            apart = f"shape {shapes[0]}, {shapes[1]}"
            if shapes[0] == shapes[1]:
                apart = f"affines differ by {float(np.abs(np.subtract(first.affine, echo.image.affine)).max()):.3g}"
            problem = f"an echo lies on another grid: {apart}"
            raise InputError.at(path, problem, "give echoes of one scan, not resampled")
    for one, other in zip(phases, magnitudes, strict=True):
        times = one.echo_time, other.echo_time
        if None not in times and abs(times[0] - times[1]) > SAME_TIME:  # type: ignore[operator]
            problem = f"an echo time of {times[1]:g} s, where the phase in its place has {times[0]:g} s"
            raise InputError.at(magnitude, problem, "give phase and magnitude in the same order")


def _times(path: Path | str, phases: list[Echo], magnitudes: list[Echo], given: Sequence[float] | None) -> list[float]:
    if given is not None and len(given) != len(phases):
        problem = f"{len(given)} for {len(phases)} echoes"
        raise InputError.at("`echo_time`", problem, "give one for each echo, in their order: 0.004,0.008")
    pairs = zip(phases, magnitudes, strict=True)
    told = list(given) if given is not None else [one.echo_time or other.echo_time for one, other in pairs]
    times = [time for time in told if time is not None]
    if len(times) < len(phases):
        problem = f"no EchoTime of {'its phase' if len(phases) == 1 else f'{len(phases)} echoes'} in a sidecar"
        raise InputError.at(path, problem, "give `echo_time` (s), one for each echo")
    if min(b - a for a, b in zip([-1.0, *sorted(times)], sorted(times), strict=False)) < SAME_TIME:
        listed = ", ".join(f"{time:g}" for time in times)
        raise InputError.at(path, f"several echoes of one time ({listed} s)", "give each echo once, with its time")
    return times
