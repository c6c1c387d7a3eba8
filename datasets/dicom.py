"""Volumes from DICOM: headers by pydicom, which knows those of frames; pixels by ITK, which knows most compressions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dicom_frames import Frame, is_dicom, list_frames
from .dicom_stack import sorted_stack
from .input_error import InputError
from .quiet_itk import quiet_itk

__all__ = ["DicomStack", "find_stack", "is_dicom"]


class DicomStack(NamedTuple):
    """Frames of one volume in their order, and its affine (RAS, mm)."""

    frames: Sequence[Frame]
    affine: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Columns, rows and slices."""
        return (*self.frames[0].size, len(self.frames))

    def values(self) -> NDArray[np.float32]:
        """Read ``(column, row, slice)``, rescaled as each frame tells; each file is read once.

        Raises:
            InputError: if a file's pixels cannot be read.
        """
        volume = np.empty(self.shape, np.float32)
        numbered = sorted(enumerate(self.frames), key=lambda pair: pair[1].file)
        for file, members in groupby(numbered, key=lambda pair: pair[1].file):
            for (place, _), pixels in _pixels(file, list(members), self.shape[:2]):
                volume[..., place] = pixels.T
        return volume


def find_stack(path: Path) -> DicomStack:
    """Read the headers of a file or folder.

    Raises:
        InputError: see :func:`~.dicom_frames.list_frames` and :func:`~.dicom_stack.sorted_stack`.
    """
    return DicomStack(*sorted_stack(path, list_frames(path)))


def _pixels(
    file: Path, members: Sequence[tuple[int, Frame]], size: tuple[int, ...]
) -> list[tuple[tuple[int, Frame], NDArray[Any]]]:
    """Read the frames of one file, ``(row, column)`` each."""
    array, applied = _decoded(file, members[0][1])
    array = array.reshape(-1, *array.shape[-2:])
    if array.shape[:0:-1] != size or max(frame.index for _, frame in members) >= len(array):
        raise _damaged(file, members[0][1], f"{array.shape} pixels, not those of its header")
    scales = [_rescaling(frame, applied) for _, frame in members]
    if len(set(scales)) == 1:
        return [(member, array[member[1].index]) for member in members]
    stored = (array.astype(np.float64) - applied[1]) / applied[0]  # ITK takes the scale of the first for all
    return [
        (member, stored[member[1].index] * slope + intercept)
        for member, (slope, intercept) in zip(members, scales, strict=True)
    ]


def _decoded(file: Path, frame: Frame) -> tuple[NDArray[Any], tuple[float, float]]:
    """Return rescaled pixels, and the slope and intercept that ITK applied."""
    import itk

    reader = itk.GDCMImageIO.New()
    try:
        with quiet_itk():
            image = itk.imread(str(file), imageio=reader)
    except (RuntimeError, MemoryError, OSError) as error:
        raise _damaged(file, frame, "ITK cannot read its pixels") from error
    return itk.array_from_image(image), (reader.GetRescaleSlope(), reader.GetRescaleIntercept())


def _rescaling(frame: Frame, applied: tuple[float, float]) -> tuple[float, float]:
    found = [frame.numbers(name, 1) for name in ("RescaleSlope", "RescaleIntercept")]
    return applied if found[0] is None or found[1] is None else (float(found[0][0]), float(found[1][0]))


def _damaged(file: Path, frame: Frame, reason: str) -> InputError:
    syntax = f", transfer syntax {frame.syntax}" if frame.syntax else ""
    remedy = "copy or export it again; if it is compressed, convert it with dcm2niix"
    return InputError.at(file, f"truncated, damaged or of an unknown compression ({reason}{syntax})", remedy)
