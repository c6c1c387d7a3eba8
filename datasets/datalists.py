"""Datalists in JSON, as MONAI knows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .case import Case, subject_and_session
from .input_error import InputError

SPLITS = ("training", "validation")


def read_datalist(path: Path, contrasts: Sequence[str]) -> list[dict[str, Any]]:
    """Read cases (see :func:`find_cases`), sorted by subject and session.

    Subject and session are those of the entry, else of its last image's name.

    Raises:
        InputError: if it is no datalist, or names too few images or files that are not there.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = _entries(content)
    except (OSError, ValueError) as error:
        problem = f"not a JSON datalist ({error})"
        raise InputError.at(path, problem, "correct it, or give a BIDS folder") from error
    cases = [_datalist_case(path, entry, contrasts) | part for entry, part in entries]
    return sorted(cases, key=lambda case: (case["subject"], case["session"]))


def _entries(content: Any) -> list[tuple[Any, dict[str, str]]]:
    if isinstance(content, list):
        return [(entry, {}) for entry in content]
    parts = {part: content.get(part, []) for part in SPLITS} if isinstance(content, dict) else {}
    if not parts or not all(isinstance(entries, list) for entries in parts.values()):
        raise ValueError(f"neither a list nor lists under {' and '.join(SPLITS)}")
    return [(entry, {"split": part}) for part, entries in parts.items() for entry in entries]


def _datalist_case(datalist: Path, entry: Any, contrasts: Sequence[str]) -> dict[str, Any]:
    image = entry.get("image") if isinstance(entry, dict) else None
    if isinstance(image, dict) and not set(contrasts) - set(image):
        image = [image[contrast] for contrast in contrasts]
    if not isinstance(image, (str, list)) or (isinstance(image, list) and len(image) != len(contrasts)):
        problem = f"the entry {json.dumps(entry)} lacks an image per contrast"
        raise InputError.at(datalist, problem, f"give a list in the order {', '.join(contrasts)}")
    folder = datalist.parent
    image = [str(folder / part) for part in image] if isinstance(image, list) else str(folder / image)
    paths = [image] if isinstance(image, str) else image
    subject, session = subject_and_session(paths[-1])
    label = str(folder / entry["label"]) if "label" in entry else None
    case = Case(entry.get("subject", subject), entry.get("session", session), image, label).item()
    for file in (*paths, *([case["label"]] if "label" in case else [])):
        if not Path(file).exists():
            raise InputError.at(file, f"no such file, named in {datalist.name}", "correct the datalist")
    return case
