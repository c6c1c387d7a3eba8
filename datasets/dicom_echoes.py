"""The echoes of a folder of DICOMs, of phase or magnitude, each a stack of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .dicom import DicomStack
from .dicom_frames import Frame, list_frames
from .dicom_stack import sorted_stack
from .input_error import InputError
from .plausible_units import checked_echo_time
from .readers import RawImage

Part = Literal["phase", "magnitude"]

WORDS: dict[Part, tuple[str, ...]] = {"phase": ("PHASE", "P", "PHASE MAP"), "magnitude": ("MAGNITUDE", "M", "M_FFE")}
"""What ``ComplexImageComponent``, ``ImageType`` or ``FrameType`` have for it."""


class DicomEcho(NamedTuple):
    """One echo.

    Attributes:
        image: its numbers, rescaled as its files tell, and affine.
        echo_time: s, None where its files tell none.
        told: what BIDS' sidecars would have: ``MagneticFieldStrength`` (T) and ``Manufacturer``.
    """

    image: RawImage
    echo_time: float | None
    told: dict[str, Any]


def read_dicom_echoes(path: Path, part: Part) -> list[DicomEcho]:
    """Read the echoes of phase, or magnitude, of a file or folder; what is the other is passed by.

    Files that do not tell whether they are phase or magnitude count as what is asked for.

    Raises:
        InputError: if there is none, or one is no stack of slices.
    """
    groups: dict[float | None, list[Frame]] = defaultdict(list)
    for frame in list_frames(path):
        if part_of(frame.header) in (part, None):
            groups[_echo_time(path, frame)].append(frame)
    if not groups:
        raise InputError.at(path, f"holds no {part} images", f"give the folder of the {part} series")
    return [_echo(path, time, groups[time]) for time in sorted(groups, key=lambda time: time or 0.0)]


def part_of(header: Mapping[str, Any]) -> Part | None:
    """Tell whether an image is of phase or magnitude; None where its header tells neither."""
    for keyword in ("ComplexImageComponent", "FrameType", "ImageType"):
        value = header.get(keyword)
        listed = [value] if isinstance(value, str) else list(value or ())
        words = {str(word).upper() for word in listed}
        for part, known in WORDS.items():
            if words & set(known):
                return part
    return None


def _echo_time(path: Path, frame: Frame) -> float | None:
    found = next((n for key in ("EffectiveEchoTime", "EchoTime") if (n := frame.numbers(key, 1)) is not None), None)
    return None if found is None else checked_echo_time(float(found[0]) / 1000, f"EchoTime of {path}")


def _echo(path: Path, time: float | None, frames: list[Frame]) -> DicomEcho:
    stack = DicomStack(*sorted_stack(path, frames))
    b0, maker = frames[0].numbers("MagneticFieldStrength", 1), frames[0].header.get("Manufacturer")
    told = {"MagneticFieldStrength": None if b0 is None else float(b0[0]), "Manufacturer": maker and str(maker)}
    return DicomEcho(RawImage(stack.values(), stack.affine, None), time, {k: v for k, v in told.items() if v})
