"""ISMRM raw data (Inati et al. 2017, Magn Reson Med 77:411, doi:10.1002/mrm.26089): Cartesian slices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from .input_error import InputError
from .kspace import Kspace, checked_kspace

REVERSE = 22  # number of the flag, as in the standard's table; bit 21
NOT_OF_THE_IMAGE = (19, 20, 23, 24, 26, 27, 28, 29)
"""Flags of noise, calibration alone, navigators, phase correction, feedback, dummies, and surface coil correction."""
FIRST_ONLY = ("contrast", "phase", "repetition", "set")
BAD_HEADER = "check how it was converted to ISMRMRD"


def ismrmrd_kspace(path: Path | str, group: Mapping[str, Any]) -> Kspace:
    """Take k-space of Cartesian slices from an open ISMRMRD group (``xml``, ``data``).

    Lines go to their place in the encoded matrix, averages are averaged; of several contrasts, phases, repetitions
    and sets, the first is taken. Noise, navigators and lines for calibration alone are left out. As in fastMRI, y is
    the readout and x, the last axis, phase encoding; readout oversampling is left in, and ``recon_matrix`` (y, x) tells
    to what the image is cropped.

    Raises:
        InputError: if there is no header or data, the trajectory is not Cartesian, the encoding not of slices, a
            readout reversed, or a line beyond the matrix; and as in :func:`~.kspace.checked_kspace`.
    """
    if missing := [name for name in ("xml", "data") if name not in group]:
        raise InputError.at(path, f"no dataset/{missing[0]} in it", "give an ISMRMRD file with raw data")
    xml = np.asarray(group["xml"][()]).reshape(-1)[0]
    encoding = _encoding(path, xml.decode() if isinstance(xml, bytes) else str(xml))
    trajectory = encoding.findtext("{*}trajectory", "cartesian")
    if trajectory != "cartesian":
        raise InputError.at(path, f"the trajectory is {trajectory}", "give Cartesian k-space")
    acquisitions = _of_the_image(path, group["data"][()])
    n_readout, n_lines = (_number(path, encoding, f"encodedSpace/matrixSize/{axis}") for axis in "xy")
    center = _number(path, encoding, "encodingLimits/kspace_encoding_step_1/center", n_lines // 2)
    kspace, counts = _placed(path, acquisitions, n_readout, n_lines, n_lines // 2 - center)
    return checked_kspace(path, kspace / np.maximum(counts, 1), counts > 0, _image_attributes(path, encoding))


def image_attributes(path: Path | str, xml: str) -> dict[str, Any]:
    """Return ``recon_matrix`` (y, x) and, if there is a field of view, ``voxel_size`` (y, x, slice; mm) of the image.

    From an ISMRMRD header, whose x is the readout, y here.

    Raises:
        InputError: if the header is not XML or does not tell the matrix.
    """
    return _image_attributes(path, _encoding(path, xml))


def _image_attributes(path: Path | str, encoding: ElementTree.Element) -> dict[str, Any]:
    sizes = [_number(path, encoding, f"reconSpace/matrixSize/{axis}", 1 if axis == "z" else None) for axis in "xyz"]
    found: dict[str, Any] = {"recon_matrix": (sizes[0], sizes[1])}
    lengths = [encoding.findtext(f"{{*}}reconSpace/{{*}}fieldOfView_mm/{{*}}{axis}") for axis in "xyz"]
    if all(lengths):
        found["voxel_size"] = tuple(float(length or 0) / n for length, n in zip(lengths, sizes, strict=True))
    return found


def _encoding(path: Path | str, xml: str) -> ElementTree.Element:
    try:
        encoding = ElementTree.fromstring(xml).find("{*}encoding")
    except ElementTree.ParseError as error:
        raise InputError.at(path, f"the header is not XML ({error})", BAD_HEADER) from error
    if encoding is None:
        raise InputError.at(path, "the header has no encoding", BAD_HEADER)
    return encoding


def _number(path: Path | str, encoding: ElementTree.Element, name: str, default: int | None = None) -> int:
    text = encoding.findtext("/".join(f"{{*}}{part}" for part in name.split("/")))
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError as error:
        raise InputError.at(path, f"the header has no whole number {name}", BAD_HEADER) from error


def _of_the_image(path: Path | str, acquisitions: NDArray[Any]) -> NDArray[Any]:
    heads = acquisitions["head"]
    is_wanted = ~_has_flag(heads, *NOT_OF_THE_IMAGE)
    for name in FIRST_ONLY:
        is_wanted &= heads["idx"][name] == 0
    found = acquisitions[is_wanted]
    if not len(found):
        raise InputError.at(path, f"none of {len(acquisitions)} acquisitions is of an image", BAD_HEADER)
    if found["head"]["idx"]["kspace_encode_step_2"].any():
        raise InputError.at(path, "phase encoding along two axes (3D)", "give slices; transform the third axis first")
    if _has_flag(found["head"], REVERSE).any():
        raise InputError.at(path, "readouts in reverse (EPI)", "give k-space after EPI correction")
    return found


def _has_flag(heads: NDArray[Any], *numbers: int) -> NDArray[np.bool_]:
    bits = np.uint64(sum(1 << (number - 1) for number in numbers))
    return np.asarray((heads["flags"].astype(np.uint64) & bits) != 0)


def _placed(
    path: Path | str, acquisitions: NDArray[Any], n_readout: int, n_lines: int, shift: int
) -> tuple[NDArray[np.complex64], NDArray[np.int64]]:
    """Sum lines into ``(slice, coil, readout, line)``, and count them in ``(slice, 1, readout, line)``."""
    heads = acquisitions["head"]
    n_slices, n_coils = int(heads["idx"]["slice"].max()) + 1, int(heads["active_channels"][0])
    kspace = np.zeros((n_slices, n_coils, n_readout, n_lines), np.complex64)
    counts = np.zeros((n_slices, 1, n_readout, n_lines), int)
    for head, samples in zip(heads, acquisitions["data"], strict=True):
        line: NDArray[np.complex64] = np.asarray(samples, np.float32).view(np.complex64).reshape(n_coils, -1)
        n_samples = line.shape[1]
        line = line[:, int(head["discard_pre"]) : n_samples - int(head["discard_post"])]
        start = n_readout // 2 - int(head["center_sample"]) + int(head["discard_pre"])
        column = int(head["idx"]["kspace_encode_step_1"]) + shift
        if not (0 <= start <= n_readout - line.shape[1] and 0 <= column < n_lines):
            place = f"line {column} of {n_lines}, samples {start} to {start + line.shape[1]} of {n_readout}"
            raise InputError.at(path, f"an acquisition lies beyond the encoded matrix ({place})", BAD_HEADER)
        kspace[int(head["idx"]["slice"]), :, start : start + line.shape[1], column] += line
        counts[int(head["idx"]["slice"]), :, start : start + line.shape[1], column] += 1
    return kspace, counts
