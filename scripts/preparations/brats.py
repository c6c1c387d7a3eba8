"""A BraTS data set (brain tumor segmentation challenge) as a BIDS folder."""

from __future__ import annotations

import re
from pathlib import Path

from ...datasets.bids import write_description
from ...datasets.writing import Progress
from .renaming import find_named, write_named

NAME = re.compile(r"(?P<case>BraTS.+?)[_-](?P<contrast>t1n|t1ce|t1c|t1|t2w|t2f|t2|flair)\.nii(?:\.gz)?", re.IGNORECASE)
SUFFIXES = {
    **dict.fromkeys(("t1", "t1n"), "T1w"),
    **dict.fromkeys(("t1ce", "t1c"), "ce-gadolinium_T1w"),
    **dict.fromkeys(("t2", "t2w"), "T2w"),
    **dict.fromkeys(("flair", "t2f"), "FLAIR"),
}


def prepare_brats(source: Path | str, output: Path | str, progress: Progress | None = None) -> list[str]:
    """Write the four contrasts of each patient, which are aligned already; segmentations are left out.

    ``BraTS19_CBICA_AAB_1_t1ce.nii.gz``, ``BraTS2021_00000_t1ce.nii.gz`` and ``BraTS-GLI-00000-000-t1c.nii.gz`` are
    names of three years. The image with contrast agent, on which the literature of super-resolution tests, becomes
    ``ce-gadolinium_T1w``, to be chosen by ``--contrasts "['ce-gadolinium_T1w']"``.

    Args:
        source: folder with the patients' folders.
        output: folder of the new dataset.
        progress: told the number of patients done, and of all.

    Returns:
        Names of the subjects, sorted. Patients without T1w are left out, with a warning.

    Raises:
        InputError: if the source is missing or has no T1w; and as in reading and writing.
    """
    remedy = "give the folder into which the training data were unpacked"
    subjects = find_named(Path(source), _name, ("T1w",), remedy)
    write_named(subjects, Path(output), progress)
    write_description(output, "BraTS", License="see the terms of the challenge")
    return list(subjects)


def _name(file: str) -> tuple[str, str] | None:
    match = NAME.fullmatch(file)
    if match is None:
        return None
    return "sub-" + re.sub(r"[^A-Za-z0-9]", "", match["case"]), SUFFIXES[match["contrast"].lower()]
