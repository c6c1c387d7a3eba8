"""Output folders that hold either everything or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...datasets import InputError


@contextmanager
def staged(output_dir: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``output_dir``, whose files move there once all went well.

    Files that stand in ``output_dir`` already stay, unless one of the same name comes. After an error
    the temporary folder is gone and ``output_dir`` is as before.

    Raises:
        InputError: if the folder cannot be made or written.
    """
    try:
        parent = _nearest_folder(output_dir.absolute())
        stage = Path(tempfile.mkdtemp(prefix=".mri-attention-", dir=parent))
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise InputError.at(output_dir, problem, "choose a writable output folder") from error
    try:
        yield stage
        _move_files(stage, output_dir)
    finally:
        shutil.rmtree(stage)


@contextmanager
def removed_on_error(output_dir: Path) -> Iterator[None]:
    """Remove ``output_dir`` after an error within the context, if it was not there before."""
    is_new = not output_dir.exists()
    try:
        yield
    except BaseException:
        if is_new:
            shutil.rmtree(output_dir, ignore_errors=True)
        raise


def _nearest_folder(output_dir: Path) -> Path:
    """Return ``output_dir`` itself where it exists, so that files move within one disk, else its parent."""
    if output_dir.is_symlink() or output_dir.exists():
        if not output_dir.is_dir():
            raise NotADirectoryError(20, "it is a file", str(output_dir))
        return output_dir
    return _nearest_folder(output_dir.parent)


def _move_files(source: Path, target: Path) -> None:
    for file in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)


def require_empty(output_dir: Path) -> None:
    """Check that ``output_dir`` is missing or an empty folder.

    Raises:
        InputError: if it holds something.
    """
    if output_dir.is_file() or (output_dir.is_dir() and any(output_dir.iterdir())):
        raise InputError.at(output_dir, "not an empty folder", "choose another output folder, or remove it")
