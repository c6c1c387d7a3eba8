"""Downloaded images under the names of BIDS."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ...datasets.file_names import is_nifti
from ...datasets.input_error import InputError
from ...datasets.volumes import header_of, read_volume, write_volume
from ...datasets.writing import Progress, reporting

logger = logging.getLogger(__name__)

Named = dict[str, dict[str, Path]]


def find_named(
    source: Path, name_of: Callable[[str], tuple[str, str] | None], required: Iterable[str], remedy: str
) -> Named:
    """Find the images of subjects in a folder and its subfolders.

    Args:
        source: the folder.
        name_of: tells subject and BIDS suffix of a file by its name, None for other files.
        required: suffixes without which a subject is left out, with a warning.
        remedy: what to do where there is nothing.

    Returns:
        For each subject, sorted, its files by suffix.

    Raises:
        InputError: if the folder is missing, has no such subject, or two files for one image.
    """
    if not source.is_dir():
        raise InputError.at(source, "no such folder", "check --source")
    found: Named = {}
    for path in sorted(path for path in source.rglob("*.nii*") if is_nifti(path)):
        if (name := name_of(path.name)) is not None:
            subject, suffix = name
            other = found.setdefault(subject, {}).setdefault(suffix, path)
            if other != path:
                raise InputError.at(path, f"a second {suffix} of {subject}, beside {other}", "remove one of them")
    wanted = set(required)
    if lacking := sorted(subject for subject, files in found.items() if not wanted <= files.keys()):
        logger.warning("%s: left out for want of %s: %s", source, ", ".join(sorted(wanted)), ", ".join(lacking))
    subjects = {subject: found[subject] for subject in sorted(found) if wanted <= found[subject].keys()}
    if not subjects:
        raise InputError.at(source, f"no subject with {', '.join(sorted(wanted))}", remedy)
    return subjects


def write_named(subjects: Mapping[str, Mapping[str, Path]], output: Path, progress: Progress | None = None) -> None:
    """Write images as ``<subject>/anat/<subject>_<suffix>.nii.gz``, checked, on their grids.

    Args:
        subjects: as :func:`find_named` returns them.
        output: folder of the new dataset.
        progress: told the number of subjects done, and of all.

    Raises:
        InputError: as in reading and writing.
    """
    for subject, files in reporting(subjects.items(), progress):
        for suffix, source in files.items():
            image, path = read_volume(source), output / subject / "anat" / f"{subject}_{suffix}.nii.gz"
            write_volume(path, image.as_tensor(), image.affine, header=header_of(image), sources=(source,))
