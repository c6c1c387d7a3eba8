"""What the names of files tell: stem and suffix, BIDS' entities, and which of them nobody wrote on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SUFFIXES = (
    *(".nii.gz", ".nii", ".img.gz", ".img", ".hdr.gz", ".hdr", ".mgz", ".mgh", ".mnc", ".nrrd", ".nhdr", ".mha"),
    *(".mhd", ".gipl.gz", ".gipl", ".dcm", ".ima", ".h5", ".hdf5", ".mrd", ".npz", ".npy", ".json"),
)
"""Of images, k-space and sidecars; all else behind a dot belongs to the name, as in ``1.2.840.1.nii.gz``."""


class BidsName(NamedTuple):
    """A name such as ``sub-01_ses-2_run-1_T1w``.

    Attributes:
        entities: value by key, ``{"sub": "01", "ses": "2", "run": "1"}``.
        suffix: ``T1w``.
    """

    entities: dict[str, str]
    suffix: str

    @classmethod
    def of(cls, path: Path | str) -> BidsName | None:
        """Read the name of a file; None if it is not of this form."""
        *parts, suffix = stem_of(path).split("_")
        pairs = [part.partition("-") for part in parts]
        if "-" in suffix or not all(key and value for key, _, value in pairs):
            return None
        return cls({key: value for key, _, value in pairs}, suffix)


def stem_and_suffix(path: Path | str) -> tuple[str, str]:
    """Split a file's name before its known suffix, which is empty where it has none."""
    name = Path(path).name
    suffix = next((known for known in SUFFIXES if name.lower().endswith(known)), "")
    cut = len(name) - len(suffix)
    return name[:cut], name[cut:]


def stem_of(path: Path | str) -> str:
    """Return a file's name without its known suffix."""
    return stem_and_suffix(path)[0]


def is_nifti(path: Path) -> bool:
    """Tell whether a name is that of a NIfTI file, and not of a hidden or half-downloaded one."""
    return path.name.endswith((".nii", ".nii.gz")) and not is_hidden(path)


def is_hidden(path: Path) -> bool:
    """Tell whether a file is one of those that systems leave beside others, such as ``._T1w.nii.gz`` of macOS."""
    return path.name.startswith(".")
