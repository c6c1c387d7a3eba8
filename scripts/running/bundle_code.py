"""The code that a bundle brings, as exported ones do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def code_of(folder: Path) -> Iterator[None]:
    """Make the package ``scripts`` of the bundle in ``folder`` the one that is imported, and forget it afterwards."""
    _forget_scripts()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = [path for path in sys.path if path != str(folder)]
        _forget_scripts()


def _forget_scripts() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "scripts"]:
        del sys.modules[name]
