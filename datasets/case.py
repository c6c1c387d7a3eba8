"""A case: one session of one subject, and the files that belong to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .file_names import stem_of

ENTITIES = re.compile(r"(sub-[A-Za-z0-9]+)(?:_(ses-[A-Za-z0-9]+))?")


@dataclass(frozen=True)
class Case:
    """One session of one subject; :meth:`item` is the dictionary that MONAI's datasets take.

    Attributes:
        subject: such as ``sub-01``.
        session: such as ``ses-1``, empty without.
        image: path of each contrast, None for one that is missing, or of one from which the others are found.
        label: path of the truth.
        mask: path of the brain mask.
        kspace: path of measured k-space, in the place of the image that is to be reconstructed.
        reference: path of an image on the grid of what is reconstructed.
        phase: paths of the phase of one or several echoes, the first of which is ``image`` then.
        magnitude: paths of their magnitude.
        others: whatever else a datalist tells, such as ``split``.

    Example:
        >>> Case("sub-01", "ses-1").name
        'sub-01_ses-1'
    """

    subject: str = ""
    session: str = ""
    image: Sequence[str | None] | str | Mapping[str, str] = ()
    label: str | None = None
    mask: str | None = None
    kspace: str | None = None
    reference: str | None = None
    phase: Sequence[str] = ()
    magnitude: Sequence[str] = ()
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Subject and session, as file names begin."""
        return "_".join(filter(None, (self.subject, self.session)))

    @property
    def images(self) -> list[str]:
        """Paths of the images that are there."""
        image = [self.image] if isinstance(self.image, str) else self.image
        return [path for path in (image.values() if isinstance(image, Mapping) else image) if path is not None]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Case:
        """Read one dictionary of a datalist."""
        known = {entry.name for entry in fields(cls) if entry.name != "others"} & item.keys()
        others = {key: value for key, value in item.items() if key not in known}
        return cls(**{key: item[key] for key in known}, others=others)

    def item(self) -> dict[str, Any]:
        """Return the dictionary of a datalist, without what there is not."""
        files = {name: getattr(self, name) for name in ("label", "mask", "kspace", "reference")}
        present: dict[str, Any] = {name: file for name, file in files.items() if file is not None}
        present |= {name: list(getattr(self, name)) for name in ("phase", "magnitude") if getattr(self, name)}
        return {"subject": self.subject, "session": self.session, "image": self.image, **present, **self.others}


def subject_and_session(path: Path | str) -> tuple[str, str]:
    """Return what a file's name tells of its case; without ``sub-``, all before its suffix."""
    stem = stem_of(path)
    found = ENTITIES.search(stem)
    return (found[1], found[2] or "") if found else (stem, "")
