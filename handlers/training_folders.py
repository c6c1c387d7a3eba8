"""The folder of one training: nobody else writes there, and what is there is not lost."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import IO

from ..datasets import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
_claimed: dict[Path, IO[str]] = {}


def claim_folder(folder: Path | str, resume: bool = False, overwrite: bool = False) -> Path:
    """Make ``folder`` the one of this training, until this process ends, however it does.

    Args:
        folder: of weights and checkpoints, made if it is missing.
        resume: weights may be there, to go on from.
        overwrite: weights may be there, and are replaced.

    Returns:
        the folder.

    Raises:
        InputError: if another process trains there, weights are there, or nothing can be written there.
    """
    folder = Path(folder).absolute()
    lock_folder(folder)
    if not resume and not overwrite:
        require_no_weights(folder)
    replaced = [] if resume else folder.glob("checkpoint_*.pt")
    for file in (*folder.glob(".*.pt"), *replaced):  # the former of a process that was killed while it wrote
        file.unlink()
    return folder


def require_no_weights(folder: Path, pattern: str = "*.pt") -> None:
    """Check that a new training would replace nothing.

    Raises:
        InputError: if there are files.
    """
    if found := sorted(file.name for file in folder.glob(pattern)):
        remedy = "set `resume` to true to go on with it, or choose another `output_dir`"
        raise InputError.at(folder, f"holds a training already ({', '.join(found)})", remedy)


def lock_folder(folder: Path) -> None:
    """Make ``folder`` and lock it for this process, until :func:`release_folder` or its end.

    Raises:
        InputError: if another process has locked it, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _lock(folder.absolute())
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise InputError.at(folder, problem, "choose a writable `output_dir` with free space") from error


def release_folder(folder: Path) -> None:
    """Let other processes train in ``folder``."""
    if file := _claimed.pop(folder.absolute(), None):
        file.close()


def _lock(folder: Path) -> None:
    """Lock a file in ``folder``; locks of this kind are not passed on to workers."""
    if fcntl is None or folder in _claimed:
        return
    file = (folder / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.seek(0)
        other = file.read().strip() or "of another machine"
        remedy = "wait until it ends, or choose another `output_dir`"
        raise InputError.at(folder, f"another training ({other}) writes there", remedy) from error
    except OSError:
        return  # a file system without locks
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()
    _claimed[folder] = file
