"""Files that appear whole or not at all, and what is told while they are written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .input_error import InputError

T = TypeVar("T")
Progress = Callable[[int, int], None]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside ``path``, to be written, which then takes its name; folders are made.

    Raises:
        InputError: if the file cannot be written.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise InputError.at(path, problem, "choose a writable output folder with free space") from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def already_there(path: Path) -> InputError:
    """Return the error that tells of a file which nobody asked to replace."""
    return InputError.at(path, "a result is there already", "set `overwrite` to true, or choose another `output_dir`")


def reporting(items: Collection[T], progress: Progress | None) -> Iterator[T]:
    """Yield the items; before the first and after each, tell ``progress`` the number of those done, and of all."""
    tell = progress or (lambda done, total: None)
    tell(0, len(items))
    for done, item in enumerate(items, start=1):
        yield item
        tell(done, len(items))
