"""Output folders that hold either everything or nothing."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...datasets import InputError
from ...datasets.leaving import leaving_on_signals
from ...datasets.writing import already_there
from .moving import move_files

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def staged(output_dir: Path, overwrite: bool = False, replaceable: Container[Path] = ()) -> Iterator[Path]:
    """Give a temporary folder beside ``output_dir``, whose files move there once all went well.

    Files that stand in ``output_dir`` already stay; one of the same name is replaced if ``overwrite`` says so, or if it
    is ``replaceable``. Otherwise nothing moves where such a file came in the meantime: results stay in the temporary
    folder. After another error that folder is gone, and ``output_dir`` is as before.

    Raises:
        InputError: if the folder cannot be made or written, or a file of the same name came in the meantime.
    """
    try:
        parent = _nearest_folder(output_dir.absolute())
        stage = Path(tempfile.mkdtemp(prefix=".mri-attention-", dir=parent))
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise InputError.at(output_dir, problem, "choose a writable output folder") from error
    is_moved = True
    try:
        with leaving_on_signals():
            yield stage
            move_files(stage, output_dir, overwrite, replaceable)
    except FileExistsError as error:
        if stage not in Path(str(error.filename2)).parents:
            raise
        is_moved = False
        problem = f"another process wrote this file in the meantime, so that the results stay in {stage}"
        raise InputError.at(str(error.filename), problem, "move them yourself, or set `overwrite` to true") from error
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        problem = f"cannot be written ({error.strerror})"
        raise InputError.at(output_dir, problem, "choose an output folder with free space") from error
    finally:
        if is_moved:
            shutil.rmtree(stage)


def require_new(paths: Iterable[Path], overwrite: bool) -> None:
    """Check, before any work, that there are no results of these names, unless they may be replaced.

    Raises:
        InputError: if there is one.
    """
    if not overwrite and (found := next(filter(Path.exists, paths), None)):
        raise already_there(found)


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
            reason = "it is a file" if output_dir.exists() else "it is a link to nothing"
            raise NotADirectoryError(20, reason, str(output_dir))
        return output_dir
    return _nearest_folder(output_dir.parent)


def require_empty(output_dir: Path) -> None:
    """Check that ``output_dir`` is missing or an empty folder.

    Raises:
        InputError: if it holds something.
    """
    if output_dir.is_file() or (output_dir.is_dir() and any(output_dir.iterdir())):
        raise InputError.at(output_dir, "not an empty folder", "choose another output folder, or remove it")
