"""Files of the fastMRI data set, and pairs of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .input_error import InputError
from .ismrmrd import image_attributes
from .kspace import Kspace, checked_kspace

TEXTS = ("acquisition", "patient_id")
NUMBERS = ("max", "norm")


def fastmri_kspace(path: Path | str, file: Mapping[str, Any], attributes: Mapping[str, Any]) -> Kspace:
    """Take k-space from an open fastMRI file, single-coil ``(slice, y, x)`` or multi-coil ``(slice, coil, y, x)``.

    Zbontar et al. 2018, arXiv:1811.08839, and the data set's description: centered, phase encoding along the last
    axis, twofold oversampling along y, cropped to ``recon_matrix`` in the image. Files of the training set have no
    ``mask``; the columns that are not zero are taken for sampled then.

    Args:
        path: named in errors.
        file: ``kspace``, and where there are, ``mask`` ``(x,)`` and ``ismrmrd_header``.
        attributes: of the file; ``acquisition``, ``patient_id``, ``max`` and ``norm`` are passed on.

    Raises:
        InputError: see :func:`~.kspace.checked_kspace`.
    """
    found: dict[str, Any] = {name: _text(attributes[name]) for name in TEXTS if name in attributes}
    found |= {name: float(attributes[name]) for name in NUMBERS if name in attributes}
    if "ismrmrd_header" in file:
        found |= image_attributes(path, _text(file["ismrmrd_header"][()]))
    mask = np.asarray(file["mask"][()]) if "mask" in file else None
    return checked_kspace(path, file["kspace"][()], mask, found)


def read_pairs(list_file: Path | str, folder: Path | str) -> list[tuple[Path, Path]]:
    """Read a list of pairs of fastMRI files: guide (PD) and target (PDFS) of the same knee.

    The data set has no official pairs; the list is a CSV file of two names a line, with or without ``.h5``. Further
    columns and empty lines do not count.

    Raises:
        InputError: if the list or a file is missing, a line has fewer names, or there is no pair.
    """
    list_file, folder = Path(list_file), Path(folder)
    if not list_file.is_file():
        raise InputError.at(list_file, "no such list of pairs", "check the path")
    with list_file.open(newline="", encoding="utf-8") as stream:
        rows = [(number, row) for number, row in enumerate(csv.reader(stream), 1) if any(row)]
    pairs = []
    for number, row in rows:
        names = [name.strip() for name in row[:2]]
        if len(names) < 2 or not all(names):
            problem = f"line {number} ({','.join(row)}) has no two names"
            raise InputError.at(list_file, problem, "give lines like file1000001,file1000002 (PD, PDFS)")
        files = [folder / (name if name.endswith(".h5") else f"{name}.h5") for name in names]
        if absent := [file.name for file in files if not file.is_file()]:
            problem = f"line {number} names {' and '.join(absent)}, which {folder} does not hold"
            raise InputError.at(list_file, problem, "download it, or take the line out")
        pairs.append((files[0], files[1]))
    if not pairs:
        raise InputError.at(list_file, "no pairs in it", "give lines like file1000001,file1000002 (PD, PDFS)")
    return pairs


def paired_slices(guide: Kspace, target: Kspace, place: Path | str) -> tuple[Kspace, Kspace]:
    """Keep the slices that both have, paired by their number; there is no registration.

    Args:
        guide: without fat suppression (acquisition CORPD_FBK).
        target: with it (CORPDFS_FBK).
        place: named in errors.

    Raises:
        InputError: if both are of the same acquisition, or guide and target are swapped.
    """
    names = [kspace.attributes.get("acquisition") for kspace in (guide, target)]
    if None not in names and names[0] == names[1]:
        raise InputError.at(place, f"both are {names[0]}", "pair one without and one with fat suppression")
    if names == ["CORPDFS_FBK", "CORPD_FBK"]:
        raise InputError.at(place, "guide and target are swapped (CORPDFS_FBK, CORPD_FBK)", "name the PD file first")
    n = min(len(guide.data), len(target.data))
    return _first_slices(guide, n), _first_slices(target, n)


def _first_slices(kspace: Kspace, n: int) -> Kspace:
    return replace(kspace, data=kspace.data[:n], mask=kspace.mask[:n])


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
