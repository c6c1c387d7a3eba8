"""Files moved to where they were asked for, none of them over another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Container
from pathlib import Path

SHARED = ("dataset_description.json",)
"""Files that all results in a folder have in common; the last one to be written has what the others had."""

BESIDE = {".nii.gz": ".json", "_overview.png": "_viewer.html"}
"""What may lie beside a result: an old one is of no use beside a new result that has none."""


def move_files(source: Path, target: Path, overwrite: bool = False, replaceable: Container[Path] = ()) -> None:
    """Move all files below ``source`` to the same places below ``target``: all of them or, on an error, none.

    Ctrl-C and other signals that end the program count as errors.

    Args:
        source: folder on the same disk.
        target: folder, made if it is not there.
        overwrite: replace files that are there.
        replaceable: replace these.

    What lies beside a file that was replaced, such as the JSON file of an image, goes if there is no new one.

    Raises:
        FileExistsError: if a file is there, or comes while others move; ``filename`` is its path, ``filename2`` the
            path of the file that was to move.
    """
    files = {file: target / file.relative_to(source) for file in sorted(p for p in source.rglob("*") if p.is_file())}
    outdated = [old for place in files.values() for old in _beside(place) if old not in files.values()]
    placed: list[Path] = []
    before: dict[Path, Path] = {}  # what was replaced
    try:
        for file, place in files.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_file() and (overwrite or file.name in SHARED or place in replaceable):
                kept = file.with_name(f".before-{file.name}")
                _place(place, kept)
                before[place] = kept
                _replace(file, place)
            else:
                _place(file, place)
                placed.append(place)
    except BaseException:
        for place in placed:
            place.unlink()
        for place, kept in before.items():
            kept.replace(place)
        raise
    for kept in before.values():
        kept.unlink()
    for old in outdated:
        old.unlink(missing_ok=True)


def _beside(place: Path) -> list[Path]:
    """Return what lies beside a file that is there already, by :data:`BESIDE`."""
    names = [place.name.removesuffix(end) + other for end, other in BESIDE.items() if place.name.endswith(end)]
    return [place.with_name(name) for name in names if place.is_file() and place.with_name(name).is_file()]


def _place(file: Path, place: Path) -> None:
    """Give a file its name at another place too, unless that is taken; a disk without hard links gets a copy."""
    try:
        os.link(file, place)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(place), None, str(file)) from error
    except OSError:
        _copy(file, place)


def _replace(file: Path, place: Path) -> None:
    """Give a file the name of another one in its place, at once."""
    beside = place.with_name(f".{os.getpid()}.{place.name}")
    try:
        _place(file, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def _copy(file: Path, place: Path) -> None:
    try:
        copy = place.open("xb")
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(place), None, str(file)) from error
    try:
        with copy, file.open("rb") as content:
            shutil.copyfileobj(content, copy)
    except BaseException:
        place.unlink()
        raise
