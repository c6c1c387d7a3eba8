"""DICOM files of known geometry, written with pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

AXIAL = ((1.0, 0, 0), (0, 1.0, 0))
SHAPE = (8, 24, 20)
"""Slices, rows and columns."""


def pixels(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Numbers that are all different."""
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape).astype("<i2")


def directions(rotation: np.ndarray | None = None) -> np.ndarray:
    """Rows: along columns, rows and slices (LPS)."""
    first, second = np.array(AXIAL) if rotation is None else np.array(AXIAL) @ rotation.T
    return np.stack([first, second, np.cross(first, second)])


def places(n: int, axes: np.ndarray, spacing: float, decimals: int | None = None) -> list[list[float]]:
    """Positions of the slices of a stack (LPS, mm)."""
    found = np.array([-70.3, -81.2, 33.1]) + spacing * np.arange(n)[:, None] * axes[2]
    return (found if decimals is None else found.round(decimals)).tolist()


def image(sop_class: UID, pixel: np.ndarray, series: str, **tags: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series, str(sorted(tags.items()))])
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    found.StudyInstanceUID, found.SeriesInstanceUID, found.Modality = "1.2.3", series, "MR"
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.Rows, found.Columns = pixel.shape[-2:]
    bits = 8 * pixel.dtype.itemsize
    found.BitsAllocated, found.BitsStored, found.HighBit = bits, bits, bits - 1
    found.PixelRepresentation = int(pixel.dtype.kind == "i")
    found.PixelData = pixel.tobytes()
    for keyword, value in tags.items():
        setattr(found, keyword, value)
    return found


def save(dataset: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def slices(
    positions: list[list[float]], axes: np.ndarray | None = None, volume: np.ndarray | None = None, **tags: Any
) -> list[FileDataset]:
    """Single-frame images, pixels 1.5 (between rows) x 0.75 mm; a tag that is a list of lists differs by slice."""
    axes = directions() if axes is None else axes
    volume = pixels((len(positions), *SHAPE[1:])) if volume is None else volume
    found = []
    for number, (position, pixel) in enumerate(zip(positions, volume, strict=True)):
        geometry = {"ImagePositionPatient": position, "ImageOrientationPatient": axes[:2].ravel().tolist()}
        geometry |= {"PixelSpacing": [1.5, 0.75], "SliceThickness": 2, "InstanceNumber": number + 1}
        found.append(image(MRImageStorage, pixel, "1.2.3.5", **geometry | tags))
    return found


def save_series(folder: Path, images: list[FileDataset]) -> Path:
    for number, dataset in enumerate(images):
        save(dataset, folder / f"IM{number:04d}.dcm")
    return folder


def group(name: str, **tags: Any) -> Dataset:
    """A functional group."""
    inner, outer = Dataset(), Dataset()
    for keyword, value in tags.items():
        setattr(inner, keyword, value)
    setattr(outer, name, Sequence([inner]))
    return outer


def joined(*groups: Dataset) -> Dataset:
    found = Dataset()
    for one in groups:
        found.update(one)
    return found


def multi_frame(
    positions: list[list[float]], volume: np.ndarray, more: list[Dataset] | None = None, **tags: Any
) -> FileDataset:
    """An enhanced image, axial, pixels 1.5 x 0.75 mm, its frames at ``positions`` with ``more`` groups each."""
    shared = joined(
        group("PlaneOrientationSequence", ImageOrientationPatient=directions()[:2].ravel().tolist()),
        group("PixelMeasuresSequence", PixelSpacing=[1.5, 0.75], SliceThickness=2),
    )
    others = more or [Dataset() for _ in positions]
    frames = [
        joined(group("PlanePositionSequence", ImagePositionPatient=position), other)
        for position, other in zip(positions, others, strict=True)
    ]
    found = image(EnhancedMRImageStorage, volume, "1.2.3.6", NumberOfFrames=len(volume), **tags)
    found.SharedFunctionalGroupsSequence = Sequence([shared])
    found.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return found
