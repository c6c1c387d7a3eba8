"""Which cases are of a patient, or were made from one: by name, by file and by folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Item = Mapping[str, Any]

OWN_FILES = ("image", "label", "kspace")
"""Keys of a case whose files are of one patient; masks and references may be shared."""


def is_named_after(subject: str, patient: str) -> bool:
    """Tell whether ``subject`` is ``patient`` or was made from it by ``simulate --heads``, such as ``sub-19x001``."""
    name, origin = (each.removeprefix("sub-") for each in (subject, patient))
    return re.fullmatch(re.escape(origin) + r"(x\d{3,})*", name) is not None


def patients_of(cases: Iterable[Item]) -> list[str]:
    """Return the subjects in order, without those that were made from another one of them."""
    subjects = list(dict.fromkeys(str(case["subject"]) for case in cases))
    return [name for name in subjects if not any(is_named_after(name, other) for other in subjects if other != name)]


class Belongings:
    """What is a patient's own: its name, its files, and the folders that have its name.

    Args:
        patient: the name, as a case's ``subject``.
        visits: the patient's cases.
    """

    def __init__(self, patient: str, visits: Iterable[Item]) -> None:
        self.patient = patient
        self.files = {file for visit in visits for file in own_files(visit)}
        self.folders = {folder for file in self.files for folder in file.parents if folder.name == patient}

    def include(self, case: Item) -> bool:
        """Tell whether ``case`` has this name or one made of it, or a file of the patient or in its folder."""
        if is_named_after(str(case["subject"]), self.patient):
            return True
        return any(file in self.files or not self.folders.isdisjoint(file.parents) for file in own_files(case))


def own_files(case: Item) -> set[Path]:
    """Return images, label and k-space of a case, as they are named and where links lead."""
    values = (value for key in OWN_FILES if (value := case.get(key)) is not None)
    names = (name for value in values for name in _names(value))
    return {path for name in names for path in (Path(name).absolute(), Path(name).resolve())}


def _names(value: Any) -> list[str]:
    if isinstance(value, str | Path):
        return [str(value)]
    found = value.values() if isinstance(value, Mapping) else value
    return [str(name) for name in found if name]
