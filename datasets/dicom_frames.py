"""Frames of DICOM images, whether a file holds one or many: where each lies, and what sets it apart from others."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .input_error import InputError

SUFFIXES = (".dcm", ".ima")
COPY_AGAIN = "copy or export it again"
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
DIFFERENCES = {
    "EffectiveEchoTime": "echo times {} ms",
    "EchoTime": "echo times {} ms",
    "DiffusionBValue": "b-values {}",
    "InversionTime": "inversion times {} ms",
    "InversionTimes": "inversion times {} ms",
    "FlipAngle": "flip angles {}",
    "ComplexImageComponent": "{}",
    "ImageType": "image types {}",
    "FrameType": "frame types {}",
    "SequenceName": "sequences {}",
    "TemporalPositionIdentifier": "time points {}",
    "TemporalPositionIndex": "time points {}",
    "NominalCardiacTriggerDelayTime": "trigger delays {} ms",
    "TriggerTime": "trigger times {} ms",
    "AcquisitionNumber": "acquisitions {}",
    "AcquisitionTime": "acquired at {}",
    "FrameAcquisitionDateTime": "acquired at {}",
}
"""What may differ between images of one place, and how to tell it, the likely ones first."""

TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "NumberOfFrames"),
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "ImagePositionPatient"),
    *("ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "SliceThickness"),
    *("RescaleSlope", "RescaleIntercept", "MagneticFieldStrength", "Manufacturer", *DIFFERENCES, *GROUPS),
)


@dataclass(frozen=True)
class Frame:
    """One image of a file.

    Attributes:
        file: that holds it.
        index: of the frame within the file.
        header: values by keyword; those of a frame's functional groups stand beside those of the whole file.
        syntax: name of the file's transfer syntax.
    """

    file: Path
    index: int
    header: Mapping[str, Any]
    syntax: str

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return int(self.header["Columns"]), int(self.header["Rows"])

    def numbers(self, keyword: str, n: int) -> NDArray[np.float64] | None:
        """Return ``n`` finite numbers of a header's entry, None if there are not as many."""
        value: Any = self.header.get(keyword)
        try:
            found = np.array([value] if np.ndim(value) == 0 else list(value), dtype=np.float64)
        except (TypeError, ValueError):
            return None
        return found if found.shape == (n,) and np.isfinite(found).all() else None


def is_dicom(file: Path) -> bool:
    """Tell whether the file begins as DICOM does: with a preamble or, in old files, with group 8.

    Raises:
        InputError: if the file cannot be opened.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(132)
    except OSError as error:
        raise InputError.at(file, f"cannot be read ({error.strerror})", "check its permissions") from error
    return head[128:] == b"DICM" or (head[:2] == b"\x08\0" and head[3:4] == b"\0")


def list_frames(path: Path) -> list[Frame]:
    """List the frames of a file, or of all files of a folder that hold images; folders within it are not searched.

    DICOMDIR, reports, presentation states, other files and those that macOS adds (``._*``) are passed by.

    Raises:
        InputError: if there is none, pydicom is not installed, or a file is damaged.
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [frame for file in files if _is_wanted(file) for frame in _frames_of(file)]
    if not found:
        raise InputError.at(path, "no DICOMs in it" + _folders_with_dicom(path), "give the folder of a DICOM series")
    return found


def _is_wanted(file: Path) -> bool:
    if not file.is_file() or file.name.startswith("._"):
        return False
    if not (wanted := is_dicom(file)) and file.suffix.lower() in SUFFIXES:
        raise InputError.at(file, f"no DICOM file, whatever its name ({file.stat().st_size} bytes)", COPY_AGAIN)
    return wanted


def _folders_with_dicom(path: Path) -> str:
    folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir()] if path.is_dir() else []
    held = [folder.name for folder in folders if any(file.is_file() and is_dicom(file) for file in folder.iterdir())]
    return f" itself, only in its folders {', '.join(held[:4])}" if held else ""


def _frames_of(file: Path) -> list[Frame]:
    try:
        pydicom = importlib.import_module("pydicom")
    except ImportError as error:
        remedy = "install it (pip install pydicom), or convert the series to NIfTI with dcm2niix"
        raise InputError.at(file, "pydicom is not installed", remedy) from error
    try:
        with quiet_pydicom():
            return _parsed(file, pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(TAGS)))
    except InputError:
        raise
    except Exception as error:
        raise InputError.at(file, f"its DICOM header cannot be read ({error})", COPY_AGAIN) from error


def _parsed(file: Path, dataset: Any) -> list[Frame]:
    syntax = str(getattr(dataset.file_meta.get("TransferSyntaxUID"), "name", ""))
    common = _entries(dataset) | _group_entries(dataset.get(GROUPS[0]), 0)
    whole = Frame(file, 0, common, syntax)
    if whole.numbers("Rows", 1) is None or whole.numbers("Columns", 1) is None:
        kind = str(getattr(dataset.file_meta.get("MediaStorageSOPClassUID"), "name", ""))
        if kind.endswith("Image Storage"):
            raise InputError.at(file, f"truncated or damaged ({kind} without an image)", COPY_AGAIN)
        return []
    groups, n_frames = dataset.get(GROUPS[1]), int(common.get("NumberOfFrames", 1))
    if n_frames > max(1, len(groups or ())):
        problem = f"{n_frames} frames, but the places of {len(groups or ())}: order and spacing of slices are unknown"
        raise InputError.at(file, problem, "export the series again, with the geometry of its slices")
    return [Frame(file, index, common | _group_entries(groups, index), syntax) for index in range(n_frames)]


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom from telling of values that are against the standard but of no concern here."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _entries(dataset: Any) -> dict[str, Any]:
    """Return what has a value, without sequences."""
    found = {}
    for keyword in TAGS:
        if keyword not in GROUPS and keyword in dataset:
            with suppress(ValueError, TypeError, OverflowError):  # where a number should be, there may be none
                found[keyword] = dataset[keyword].value
    return {keyword: value for keyword, value in found.items() if value is not None and str(value)}


def _group_entries(groups: Any, index: int) -> dict[str, Any]:
    """Return the entries of all functional groups of one frame."""
    found: dict[str, Any] = {}
    if groups is not None and index < len(groups):
        for group in groups[index]:
            if group.VR == "SQ" and len(group.value):
                found |= _entries(group.value[0])
    return found
