"""MONAI reads ``#`` as ``::`` in every text of a config, so that a path names another place: told, not followed."""

from __future__ import annotations

from pathlib import Path

from .input_error import InputError

REMEDY = "MONAI reads # in a path as ::, so rename the folder, or use the command mri-attention"


def remedy_for(path: Path | str, otherwise: str) -> str:
    """Return what helps if ``path`` is not there: ``otherwise``, unless it is with ``#`` in the place of ``::``."""
    return REMEDY if "::" in str(path) and Path(str(path).replace("::", "#")).exists() else otherwise


def require_same_place(path: Path | str) -> None:
    """Check that a place to write to, which may be new, is the one that was named.

    Raises:
        InputError: if there is ``::`` in the name of a folder that is not there, as MONAI makes it of ``#``.
    """
    place = Path(path)
    for folder in (*reversed(place.parents), place):
        if "::" in folder.name and not folder.exists():
            raise InputError.at(place, f"no folder {folder.name}", REMEDY)
