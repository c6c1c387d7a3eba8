"""ISMRM raw data (Inati et al. 2017, Magn Reson Med 77:411, doi:10.1002/mrm.26089): Cartesian slices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from .input_error import InputError
from .ismrmrd_acquisitions import (
    BAD_HEADER,
    NOT_OF_THE_IMAGE,
    encodings,
    noise_covariance,
    of_the_image,
    placed,
    slice_positions,
    whitened,
)
from .kspace import Kspace, checked_kspace

__all__ = ["NOT_OF_THE_IMAGE", "image_attributes", "ismrmrd_kspace"]


def ismrmrd_kspace(path: Path | str, group: Mapping[str, Any]) -> Kspace:
    """Take k-space of Cartesian slices from an open ISMRMRD group (``xml``, ``data``).

    Lines go to their place in the encoded matrix, averages are averaged; of several encodings, contrasts, phases,
    repetitions and sets, the first is taken, with a warning. Navigators, phase stabilization and lines for calibration
    alone are left out. Where there is a noise scan, coils are combined so that their noise is white. As in fastMRI, y
    is the readout and x, the last axis, phase encoding; the attributes tell the pixels of the reconstruction (see
    :func:`image_attributes`), and where slices lie.

    Raises:
        InputError: if there is no header or data, the trajectory is not Cartesian, the encoding not of slices, a
            readout reversed, or a line beyond the matrix; and as in :func:`~.kspace.checked_kspace`.
    """
    if missing := [name for name in ("xml", "data") if name not in group]:
        raise InputError.at(path, f"no dataset/{missing[0]} in it", "give an ISMRMRD file with raw data")
    xml = np.asarray(group["xml"][()]).reshape(-1)[0]
    all_encodings = _encodings(path, xml.decode() if isinstance(xml, bytes) else str(xml))
    all_acquisitions = group["data"][()]
    acquisitions = of_the_image(path, all_acquisitions)
    if (number := int(encodings(acquisitions)[0])) >= len(all_encodings):
        raise InputError.at(path, f"acquisitions of encoding {number}, which the header does not tell", BAD_HEADER)
    encoding = all_encodings[number]
    trajectory = encoding.findtext("{*}trajectory", "cartesian")
    if trajectory != "cartesian":
        raise InputError.at(path, f"the trajectory is {trajectory}", "give Cartesian k-space")
    n_readout, n_lines = (_number(path, encoding, f"encodedSpace/matrixSize/{axis}") for axis in "xy")
    center = _number(path, encoding, "encodingLimits/kspace_encoding_step_1/center", n_lines // 2)
    kspace, counts = placed(path, acquisitions, n_readout, n_lines, n_lines // 2 - center)
    attributes = _image_attributes(path, encoding)
    if (positions := slice_positions(acquisitions)) is not None:
        attributes["slice_positions"] = positions
    kspace = (kspace / np.maximum(counts, 1)).astype(np.complex64)
    if (covariance := noise_covariance(path, all_acquisitions, kspace.shape[1])) is not None:
        kspace = whitened(kspace, covariance)
    return checked_kspace(path, kspace, counts > 0, attributes)


def image_attributes(path: Path | str, xml: str) -> dict[str, Any]:
    """Return what an ISMRMRD header, whose x is the readout, y here, tells of the images.

    ``recon_matrix`` (y, x), and where it tells fields of view, ``voxel_size`` (y, x, slice; mm) and that of k-space,
    ``encoded_field_of_view`` (y, x; mm).

    Raises:
        InputError: if the header is not XML or does not tell the matrix.
    """
    return _image_attributes(path, _encodings(path, xml)[0])


def _image_attributes(path: Path | str, encoding: ElementTree.Element) -> dict[str, Any]:
    sizes = [_number(path, encoding, f"reconSpace/matrixSize/{axis}", 1 if axis == "z" else None) for axis in "xyz"]
    found: dict[str, Any] = {"recon_matrix": (sizes[0], sizes[1])}
    lengths, encoded = (_lengths(path, encoding, space) for space in ("reconSpace", "encodedSpace"))
    if all(lengths):
        found["voxel_size"] = tuple(length / n for length, n in zip(lengths, sizes, strict=True))
        if all(encoded[:2]):
            found["encoded_field_of_view"] = tuple(encoded[:2])
    return found


def _lengths(path: Path | str, encoding: ElementTree.Element, space: str) -> list[float]:
    """Return the field of view along x, y, z (mm), zero where it is not told."""
    texts = [encoding.findtext(f"{{*}}{space}/{{*}}fieldOfView_mm/{{*}}{axis}") for axis in "xyz"]
    try:
        found = [float(text or 0) for text in texts]
    except ValueError as error:
        raise InputError.at(path, f"the header has no numbers as {space}/fieldOfView_mm", BAD_HEADER) from error
    return [length if np.isfinite(length) and length > 0 else 0.0 for length in found]


def _encodings(path: Path | str, xml: str) -> list[ElementTree.Element]:
    try:
        found = ElementTree.fromstring(xml).findall("{*}encoding")
    except ElementTree.ParseError as error:
        raise InputError.at(path, f"the header is not XML ({error})", BAD_HEADER) from error
    if not found:
        raise InputError.at(path, "the header has no encoding", BAD_HEADER)
    return found


def _number(path: Path | str, encoding: ElementTree.Element, name: str, default: int | None = None) -> int:
    text = encoding.findtext("/".join(f"{{*}}{part}" for part in name.split("/")))
    if text is None and default is not None:
        return default
    try:
        number = int(text or "")
    except ValueError as error:
        raise InputError.at(path, f"the header has no whole number {name}", BAD_HEADER) from error
    if number < (0 if name.endswith("center") else 1):
        raise InputError.at(path, f"the header tells {name} {number}", BAD_HEADER)
    return number
