"""Archives that depend on their content only, and archives of others opened with care."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from ...datasets import InputError

EPOCH = (1980, 1, 1, 0, 0, 0)
MAX_BYTES = 8 * 2**30


def write_zip(archive: Path, folder: Path) -> None:
    """Pack ``folder`` with its name, sorted, uncompressed, with fixed times and permissions."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(str(PurePosixPath(folder.name, *file.relative_to(folder).parts)), EPOCH)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            packed.writestr(entry, file.read_bytes())


def extract_zip(archive: Path, folder: Path) -> None:
    """Unpack ``archive`` into ``folder``.

    Raises:
        InputError: if it is no ZIP file, an entry would leave ``folder``, is a link, or all are larger than 8 GiB;
            nothing is unpacked then.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                _check_entry(archive, entry)
            if sum(entry.file_size for entry in packed.infolist()) > MAX_BYTES:
                raise InputError.at(archive, "unpacks to more than 8 GiB", "unpack it by hand if you trust it")
            packed.extractall(folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError.at(archive, f"cannot be unpacked ({error})", "give a bundle's folder or its .zip") from error


def _check_entry(archive: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise InputError.at(archive, f"entry {name!r} leaves the folder", "do not unpack it, ask its author")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InputError.at(archive, f"entry {name!r} is a link", "do not unpack it, ask its author")
