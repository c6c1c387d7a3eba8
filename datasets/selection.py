"""Which part of a dataset is wanted: subjects, sessions, runs and acquisitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .file_names import BidsName
from .input_error import InputError

MAX_NAMED = 8
ENTITIES = {"subjects": "sub", "sessions": "ses", "runs": "run", "acquisitions": "acq"}
"""BIDS' key of each."""


@dataclass(frozen=True)
class Selection:
    """What to take of a dataset; None is all of it.

    Names may have their prefix (``sub-01``) or not (``01``).

    Attributes:
        subjects: take only these.
        sessions: take only these.
        runs: of several images of a contrast take that of this run; a number, ``1`` is ``run-01`` too.
        acquisitions: the same for ``acq-``.
        skip_incomplete: leave out, with a warning, cases that lack an image or have several, instead of refusing them.

    Example:
        >>> Selection(subjects=("01",)).takes("subjects", "sub-01")
        True
    """

    subjects: Sequence[str] | None = None
    sessions: Sequence[str] | None = None
    runs: Sequence[str] | None = None
    acquisitions: Sequence[str] | None = None
    skip_incomplete: bool = False

    def __bool__(self) -> bool:
        return self != Selection()

    @classmethod
    def of(cls, wanted: Selection | Mapping[str, Any] | None) -> Selection:
        """Read a config's ``selection``: a name, names with commas between or a list for each part.

        Raises:
            InputError: if there is no such part, or a name is no text.
        """
        if isinstance(wanted, Selection):
            return wanted
        given = {name: value for name, value in (wanted or {}).items() if value is not None}
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in given if name not in known]:
            remedy = f"write {nearest(str(unknown[0]), known) or 'one of ' + ', '.join(known)}"
            raise InputError.at(f"`selection` {unknown[0]}", "no such part of it", remedy)
        if not isinstance(given.get("skip_incomplete", False), bool):
            raise InputError.at("`skip_incomplete`", f"is {given['skip_incomplete']!r}", "write true or false")
        read: dict[str, Any] = {n: _names(n, value) if n in ENTITIES else value for n, value in given.items()}
        return cls(**read)

    def among(self, subjects: Iterable[str] | None) -> Selection:
        """Take only what is of ``subjects`` too."""
        if subjects is None:
            return self
        names = [with_prefix("sub", subject) for subject in subjects]
        return replace(self, subjects=[name for name in names if self.takes("subjects", name)])

    def takes(self, part: str, name: str) -> bool:
        """Tell whether ``name``, such as ``sub-01`` of the part ``subjects``, is wanted."""
        wanted = getattr(self, part)
        return wanted is None or _plain(part, name) in {_plain(part, other) for other in wanted}

    def require(self, part: str, present: Iterable[str], place: Path | str | None = None) -> None:
        """Check that all wanted names of a part are ``present``.

        Raises:
            InputError: if one is not.
        """
        wanted, names = getattr(self, part) or (), sorted(set(present))
        known = {_plain(part, name) for name in names}
        if absent := [with_prefix(ENTITIES[part], name) for name in wanted if _plain(part, name) not in known]:
            where = ", ".join(absent) if place is None else f"{place}: {', '.join(absent)}"
            remedy = f"choose among {some_of(names)}" if names else f"leave `{part}` out"
            raise InputError.at(where, f"no such {part[:-1]}", remedy)

    def preferred(self, images: Sequence[Path]) -> list[Path]:
        """Return those of the ``images`` of one contrast that are of the wanted run and acquisition.

        Images that name no run count as of every run, unless others name a wanted one.
        """
        chosen = list(images)
        for part in ("runs", "acquisitions"):
            if getattr(self, part) is not None:
                fitting = [(path, entity(path, part)) for path in chosen]
                fitting = [(path, name) for path, name in fitting if name is None or self.takes(part, name)]
                chosen = [path for path, name in fitting if name is not None] or [path for path, _ in fitting]
        return chosen

    def described(self) -> str:
        """Say which runs and acquisitions are wanted, such as `` of run 1``; empty for all."""
        parts = [(part, getattr(self, part)) for part in ("runs", "acquisitions")]
        return "".join(f" of {part[:-1]} {', '.join(names)}" for part, names in parts if names is not None)


def entity(path: Path | str, part: str) -> str | None:
    """Return what the name of a file tells of a part, such as ``run-1`` of ``runs``; None where it tells nothing."""
    found, key = BidsName.of(path), ENTITIES[part]
    return f"{key}-{found.entities[key]}" if found is not None and key in found.entities else None


def with_prefix(key: str, name: str) -> str:
    """Write ``sub-01`` for ``01``."""
    return name if name.startswith(f"{key}-") else f"{key}-{name}"


def some_of(names: Sequence[str]) -> str:
    """List names, not more than a line has room for."""
    return ", ".join(names[:MAX_NAMED]) + (f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, a part of it, or begins with it; None where none does."""
    known, plain = list(known), name.lower()
    parts = [other for other in known if other in plain or (len(plain) > 2 and other.startswith(plain))]
    return next(iter(get_close_matches(plain, known, n=1, cutoff=0.7) or parts), None)


def _plain(part: str, name: str) -> str:
    text = str(name).removeprefix(f"{ENTITIES[part]}-")
    return text.lstrip("0") or "0" if part == "runs" else text


def _names(part: str, value: Any) -> list[str]:
    values = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    names = [str(name) if part == "runs" and type(name) is int else name for name in values]
    if wrong := [name for name in names if not isinstance(name, str) or not name.strip()]:
        raise InputError.at(f"`{part}` {wrong[0]!r}", "is no name", f"write it in quotes: {[str(wrong[0])]}")
    return [name.strip() for name in names]
