"""The Kirby 21 data set (nitrc.org/projects/multimodal) as a BIDS folder of T1w images."""

from __future__ import annotations

import re
from pathlib import Path

from ...datasets.bids import write_description
from ...datasets.writing import Progress
from .renaming import find_named, write_named

NAME = re.compile(r"KKI2009-(?:ALL-)?(\d+)-MPRAGE\.nii(?:\.gz)?")


def prepare_kirby21(source: Path | str, output: Path | str, progress: Progress | None = None) -> list[str]:
    """Write the MPRAGE of each scan as the T1w of ``sub-KKI<number>``.

    The 42 scans are of 21 people, each scanned twice; the literature counts scans, and tests on 01 to 05, trains on
    06 to 42. Some people are in both parts.

    Args:
        source: folder with the unpacked archives ``KKI2009-<number>``, in subfolders or not.
        output: folder of the new dataset.
        progress: told the number of scans done, and of all.

    Returns:
        Names of the subjects, sorted.

    Raises:
        InputError: if the source is missing or has no MPRAGE; and as in reading and writing.
    """
    remedy = "give the folder into which KKI2009-*.tar.bz2 were unpacked"
    subjects = find_named(Path(source), _name, ("T1w",), remedy)
    write_named(subjects, Path(output), progress)
    write_description(output, "Kirby 21, T1w of each scan", License="see nitrc.org/projects/multimodal")
    return list(subjects)


def _name(file: str) -> tuple[str, str] | None:
    match = NAME.fullmatch(file)
    return (f"sub-KKI{match[1]}", "T1w") if match else None
