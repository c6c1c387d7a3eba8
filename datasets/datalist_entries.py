"""What may stand in a JSON datalist, checked before anything is read."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .input_error import InputError
from .selection import nearest, some_of

logger = logging.getLogger(__name__)

SPLITS = ("training", "validation")
OTHER_LISTS = (
    *("name", "description", "reference", "licence", "license", "release", "tensorImageSize", "modality", "labels"),
    *("numTraining", "numValidation", "numTest", "test", "testing"),
)
"""What the datalists of MONAI and of the Medical Segmentation Decathlon hold beside the cases that are read."""

NAMES, FILES = ("subject", "session"), ("label", "mask", "kspace", "reference")
ECHOES = ("phase", "magnitude")
ENTRY = ("image", *FILES, *NAMES, *ECHOES)
"""What is read of an entry."""

UNREAD = ("fold",)
"""What MONAI's datalists have in entries; nothing reads it, and nobody is told."""


class Entry(NamedTuple):
    """A checked entry of a datalist.

    Attributes:
        place: its datalist, split and number.
        image: path, paths or path by contrast, as it stands there.
        names: ``subject`` and ``session`` where they are told.
        files: path of ``label``, ``mask``, ``kspace`` and ``reference`` where they are told.
        split: where the datalist has one.
        echoes: paths of ``phase`` and ``magnitude`` where they are told.
    """

    place: str
    image: Any
    names: dict[str, str]
    files: dict[str, str]
    split: str | None
    echoes: dict[str, list[str]]


def read_entries(path: Path) -> list[Entry]:
    """Read and check the entries of a datalist.

    Raises:
        InputError: if it is no datalist, or something in it is of another type or has a misspelled name.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_repetition)
    except (OSError, ValueError, RecursionError) as error:
        raise _no_datalist(path, str(error)) from error
    parts = {None: content} if isinstance(content, list) else _parts(path, content)
    if not all(isinstance(entries, list) for entries in parts.values()):
        raise _no_datalist(path, f"neither a list nor lists under {' and '.join(SPLITS)}")
    places = [
        (f"{path}, entry {n}", part, entry) for part, entries in parts.items() for n, entry in enumerate(entries, 1)
    ]
    entries = [_checked(f"{place} of {part}" if part else place, part, entry) for place, part, entry in places]
    _tell_of_repetition([(each.place, entry) for each, (*_, entry) in zip(entries, places, strict=True)])
    unread = sorted({key for *_, entry in places if isinstance(entry, dict) for key in entry} - {*ENTRY, *UNREAD})
    if unread:
        logger.warning("%s: nothing reads %s of its entries", path, some_of(unread))
    return entries


def _tell_of_repetition(entries: Sequence[tuple[str, Any]]) -> None:
    """Warn of an entry that stands there once more, which trainings may want and averages do not."""
    first: dict[str, str] = {}
    for place, entry in entries:
        if (known := first.setdefault(json.dumps(entry, sort_keys=True), place)) != place:
            number = known.rpartition(", ")[2]
            logger.warning("%s: is %s once more, so that this case counts twice", place, number)


def _no_datalist(path: Path, reason: str) -> InputError:
    return InputError.at(path, f"not a JSON datalist ({reason})", "correct it, or give a BIDS folder")


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{', '.join(twice)} twice in one object")
    return dict(pairs)


def _parts(path: Path, content: Any) -> dict[str | None, Any]:
    if not isinstance(content, dict):
        raise _no_datalist(path, f"neither a list nor lists under {' and '.join(SPLITS)}")
    for key in content:
        _refuse_misspelled(str(path), key, content, SPLITS, OTHER_LISTS)
    unread = sorted(set(content) - {*SPLITS, *OTHER_LISTS})
    if unread:
        logger.warning("%s: nothing reads its %s", path, some_of(unread))
    return {part: content.get(part, []) for part in SPLITS}


def _refuse_misspelled(
    place: str, key: str, present: Mapping[str, Any], known: Sequence[str], passed: Sequence[str]
) -> None:
    """Refuse a key that is none, but is like a known one that is not there."""
    if key in known or key in passed:
        return
    meant = nearest(key, known)
    if meant is not None and meant not in present:
        raise InputError.at(place, f"has {_quoted(key)}, which nothing reads", f"write {_quoted(meant)}")


def _checked(place: str, part: str | None, entry: Any) -> Entry:
    if not isinstance(entry, dict):
        raise InputError.at(place, f"is {json.dumps(entry)}, not an object", 'write {"image": "..."}')
    for key in entry:
        _refuse_misspelled(place, key, entry, ENTRY, UNREAD)
    told = {key: value for key, value in entry.items() if value is not None and not (key in NAMES and value == "")}
    for key in (*NAMES, *FILES):
        _require_text(place, key, told.get(key, key))
    if "image" in told and isinstance(told["image"], str | list | dict):
        paths = told["image"].values() if isinstance(told["image"], dict) else told["image"]
        for path in [paths] if isinstance(paths, str) else paths:
            _require_text(place, "image", path)
    if "reference" in told and "kspace" not in told:
        raise InputError.at(place, 'has "reference", which has no meaning without "kspace"', "leave it out")
    names, files = ({key: told[key] for key in keys if key in told} for keys in (NAMES, FILES))
    for key, name in names.items():
        _require_name(place, key, name)
    return Entry(place, told.get("image"), names, files, part, _echoes(place, told))


def _echoes(place: str, told: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the paths of phase and magnitude, which may be one or a list."""
    found = {key: told[key] if isinstance(told[key], list) else [told[key]] for key in ECHOES if key in told}
    for key, paths in found.items():
        for path in paths:
            _require_text(place, key, path)
    return found


def _require_name(place: str, key: str, name: str) -> None:
    if ".." in re.split(r"[/\\]", name) or not name.isprintable():
        problem = f"{_quoted(key)} is {json.dumps(name)}, which is no name"
        raise InputError.at(place, problem, "write it without .. and control characters, as in sub-01")


def _require_text(place: str, key: str, value: Any) -> None:
    if not isinstance(value, str):
        as_text = _quoted(value) if type(value) in (int, float) else '"..."'
        remedy = f"write {_quoted(key)}: {as_text}"
        raise InputError.at(place, f"{_quoted(key)} is {json.dumps(value)}, which is no text", remedy)
    if not value.strip():
        raise InputError.at(place, f"{_quoted(key)} is empty", "write it, or leave it out")


def _quoted(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=False)
