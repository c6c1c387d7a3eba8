"""k-space from files: fastMRI and ISMRMRD (.h5), and .npz."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .fastmri import fastmri_kspace
from .input_error import InputError
from .ismrmrd import ismrmrd_kspace
from .kspace import Kspace, checked_kspace

H5_SUFFIXES = (".h5", ".hdf5", ".mrd")
KSPACE_SUFFIXES = (".npz", *H5_SUFFIXES)
_READ_ERRORS = (OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile)


def read_kspace(path: Path | str) -> Kspace:
    """Read k-space: a fastMRI or ISMRMRD ``.h5`` file, or ``.npz`` with ``kspace`` and ``mask``.

    In ``.npz``, ``kspace`` is complex, ``(slice, [coil,] y, x)``, centered and orthonormal, and ``mask`` is True or 1
    where it is sampled, ``(x,)``, ``(y, x)`` or ``(slice, y, x)``.

    Raises:
        InputError: if the file is missing, of another kind, broken, or holds what cannot be k-space (see
            :func:`~.kspace.checked_kspace`).
    """
    path = Path(path)
    if not path.is_file():
        raise InputError.at(path, "no such file", "check the path")
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _read_npz(path)
    if suffix in H5_SUFFIXES:
        return _read_h5(path)
    raise InputError.at(path, f"k-space in {suffix or 'a file without suffix'}", "give .h5 (fastMRI, ISMRMRD) or .npz")


def _read_npz(path: Path) -> Kspace:
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files if name in ("kspace", "mask")}
            names = archive.files
    except _READ_ERRORS as error:
        if "pickle" in str(error):
            problem = "is no .npz archive of numbers"
            raise InputError.at(path, problem, "save it by numpy.savez(file, kspace=..., mask=...)") from error
        raise _unreadable(path, error) from error
    if missing := [name for name in ("kspace", "mask") if name not in found]:
        held = ", ".join(names) or "nothing"
        raise InputError.at(path, f"no {' and no '.join(missing)} in it, only {held}", "save both under these names")
    return checked_kspace(path, found["kspace"], found["mask"])


def _read_h5(path: Path) -> Kspace:
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise InputError.at(path, "h5py is not installed", "install it (pip install h5py), or give .npz") from error
    try:
        with h5py.File(path, "r") as file:
            return h5_kspace(path, file, dict(file.attrs))
    except InputError:
        raise
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error


def h5_kspace(path: Path, file: Mapping[str, Any], attributes: Mapping[str, Any]) -> Kspace:
    """Take k-space from an open HDF5 file, whose kind is told by what it holds.

    Raises:
        InputError: if it is neither of fastMRI nor ISMRMRD, and as in :func:`read_kspace`.
    """
    if "kspace" in file:
        return fastmri_kspace(path, file, attributes)
    if "dataset" in file:
        return ismrmrd_kspace(path, file["dataset"])
    held = ", ".join(sorted(file)) or "nothing"
    remedy = "give a fastMRI file (kspace) or an ISMRMRD file (dataset)"
    raise InputError.at(path, f"no kspace and no dataset in it, only {held}", remedy)


def _unreadable(path: Path, error: BaseException) -> InputError:
    return InputError.at(path, f"cannot be read ({str(error) or type(error).__name__})", "copy or export it again")
