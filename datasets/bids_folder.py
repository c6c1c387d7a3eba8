"""The cases of a BIDS folder as it is: with sessions, runs, and parts that are missing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .case import Case
from .contrast_files import in_order
from .file_names import is_hidden, is_nifti
from .input_error import InputError
from .selection import Selection, entity, some_of

logger = logging.getLogger(__name__)


class IncompleteCaseError(InputError):
    """A case that lacks an image, or has several that cannot be told apart."""


def folder_cases(
    dataset: Path, contrasts: Sequence[str], label: str | None, wanted: Selection, optional: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """List the wanted cases (see :func:`find_cases`), sorted by subject and session.

    Sessions without ``anat`` are passed over, with a warning.

    Raises:
        InputError: if a wanted subject, session, run or acquisition is not there, or a case is incomplete.
    """
    cases = []
    for anat in anat_folders(dataset, wanted):
        try:
            cases.append(_case(dataset, anat, contrasts, label, wanted, optional))
        except IncompleteCaseError as error:
            if not wanted.skip_incomplete:
                raise
            logger.warning("%s: left out", str(error).rpartition("; ")[0])
    images = [image for case in cases for image in case.images]
    if images:
        for part in ("runs", "acquisitions"):
            wanted.require(part, filter(None, (entity(image, part) for image in images)), dataset)
    return [case.item() for case in cases]


def anat_folders(dataset: Path, wanted: Selection) -> list[Path]:
    """List the folders ``anat`` of the wanted subjects and sessions; a warning tells of those that have none.

    Raises:
        InputError: if a wanted subject or session is not there, or there is no such folder at all.
    """
    subjects = _folders(dataset, "sub-*")
    if subjects:
        wanted.require("subjects", (folder.name for folder in subjects))
    places = [place for folder in subjects if wanted.takes("subjects", folder.name) for place in _places(folder)]
    sessions = [place for place in places if place.name.startswith("ses-")]
    wanted.require("sessions", (place.name for place in sessions), dataset)
    if wanted.sessions is not None:
        places = [place for place in sessions if wanted.takes("sessions", place.name)]
    without = [place for place in places if not (place / "anat").is_dir()]
    return _with_anat(dataset, [place for place in places if place not in without], without)


def _with_anat(dataset: Path, places: Sequence[Path], without: Sequence[Path]) -> list[Path]:
    names = some_of(["_".join(place.relative_to(dataset).parts) for place in without])
    if without and not places:
        raise InputError.at(dataset, f"{names} without anat folder", "give a BIDS folder with sub-*/[ses-*/]anat")
    if without:
        logger.warning("%s: passed over for want of an anat folder: %s", dataset, names)
    return [place / "anat" for place in places]


def _places(subject: Path) -> list[Path]:
    """Return the sessions of a subject, and the subject itself where it has no sessions, or images beside them."""
    sessions = _folders(subject, "ses-*")
    return [*([subject] if not sessions or (subject / "anat").is_dir() else []), *sessions]


def _folders(parent: Path, pattern: str) -> list[Path]:
    return sorted(folder for folder in parent.glob(pattern) if folder.is_dir())


def _case(
    dataset: Path, anat: Path, contrasts: Sequence[str], label: str | None, wanted: Selection, optional: Sequence[str]
) -> Case:
    parent = anat.parent.relative_to(dataset)
    subject, session = parent.parts[0], "" if len(parent.parts) == 1 else parent.parts[1]
    stem = Case(subject, session).name
    images = {contrast: _images(anat, stem, contrast, wanted) for contrast in contrasts}
    there = [contrast for contrast, found in images.items() if found or contrast not in optional]
    paths = {contrast: _one_image(anat, stem, contrast, wanted, images[contrast]) for contrast in there}
    case = Case(subject, session, in_order(paths, contrasts))
    found = None if label is None else derivative_of(dataset, anat, stem, label, wanted)
    return case if found is None else replace(case, label=str(found))


def _niftis(folders: Sequence[Path], pattern: str) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob(pattern)) if is_nifti(path)]


def derivative_of(dataset: Path, anat: Path, stem: str, label: str, wanted: Selection) -> Path | None:
    """Find what belongs to a case in ``derivatives/*/``, or in one of them, as in ``consensus/label-lesion_mask``.

    Args:
        dataset: BIDS folder.
        anat: folder of the case.
        stem: of its names, such as ``sub-01_ses-1``.
        label: what comes behind it, with a folder before it where one is meant.
        wanted: runs and acquisitions.

    Raises:
        InputError: if several derivatives have it.
    """
    pipeline, _, suffix = label.rpartition("/")
    folders = [folder for folder in dataset.glob(f"derivatives/{pipeline or '*'}") if not is_hidden(folder)]
    places = [folder / anat.relative_to(dataset) for folder in sorted(folders)]
    found = _niftis(places, f"{stem}_{suffix}.nii*")
    if not found and wanted.described():
        found = wanted.preferred(_niftis(places, f"{stem}_*_{suffix}.nii*"))
    if len(found) > 1:
        names = ", ".join(path.relative_to(dataset).parts[1] for path in found)
        remedy = f"choose one of the derivatives, as in {found[0].relative_to(dataset).parts[1]}/{suffix}"
        raise InputError.at(anat, f"labels {suffix} in several derivatives ({names})", remedy)
    return found[0] if found else None


def _images(anat: Path, stem: str, contrast: str, wanted: Selection) -> list[Path]:
    """Find ``stem_contrast``, else the files with more entities between the two."""
    plain, others = ([*anat.glob(f"{name}.nii.gz"), *anat.glob(f"{name}.nii")] for name in _names(stem, contrast))
    found = wanted.preferred(sorted([*plain, *others]))
    return [path for path in found if path in plain] or found


def _one_image(anat: Path, stem: str, contrast: str, wanted: Selection, found: Sequence[Path]) -> Path:
    if len(found) == 1:
        return found[0]
    if found:
        problem = f"{stem} has several {contrast} images ({', '.join(path.name for path in found)})"
        remedy = "choose one by `runs` or `acquisitions`, keep one, or give a JSON datalist"
        raise IncompleteCaseError.at(anat, problem, remedy)
    remedy = f"add {stem}_{contrast}.nii.gz, choose others by `subjects`, or set `skip_incomplete` to true"
    raise IncompleteCaseError.at(anat, f"{stem} has no {contrast} image{wanted.described()}", remedy)


def _names(stem: str, contrast: str) -> tuple[str, str]:
    return f"{stem}_{contrast}", f"{stem}_*_{contrast}"
