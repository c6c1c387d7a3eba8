"""Datalists from BIDS folders or JSON files, and BIDS' description file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .case import Case
from .datalists import read_datalist
from .input_error import InputError
from .writing import replacing

logger = logging.getLogger(__name__)

BIDS_VERSION = "1.10.0"
MAKER = {"Name": "mri-attention"}
"""What ``generated_by`` says of the derivatives that come with made data."""

Item = dict[str, Any]


def find_cases(
    dataset_dir: Path | str,
    contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"),
    label: str | None = None,
    subjects: Iterable[str] | None = None,
    require_label: bool = True,
) -> list[Item]:
    """List the cases of a dataset, sorted by subject and session.

    Args:
        dataset_dir: BIDS folder with ``sub-*/[ses-*/]anat/sub-*_{contrast}.nii.gz``, or a JSON datalist:
            a list of ``{"image": path, paths or {contrast: path}, "label": path}``, or MONAI's
            ``{"training": list, "validation": list}``; its relative paths start at the JSON's folder.
        contrasts: BIDS suffixes, in the order of the network's channels.
        label: such as ``"label-lesion_mask"``, searched in all ``derivatives/*/``, or
            ``"consensus/label-lesion_mask"`` for those of one of these folders.
        subjects: take only these, with or without ``sub-``.
        require_label: leave out cases without label, with a warning; among ``subjects`` they are an error.

    Returns:
        ``{"subject": "sub-01", "session": "" or "ses-1", "image": [path per contrast], "label": path}``
        each, without ``label`` where there is none, and with ``"split"`` if the datalist tells it.

    Raises:
        InputError: if the folder, its subjects, a contrast of a subject or a wanted label is missing.
    """
    dataset = Path(dataset_dir)
    if not dataset.exists():
        raise InputError.at(dataset, "no such folder or datalist", "check `dataset_dir`")
    if dataset.is_file():
        cases = read_datalist(dataset, contrasts)
    else:
        cases = [_bids_case(dataset, folder, contrasts, label) for folder in _anat_folders(dataset, subjects)]
    if not cases:
        raise InputError.at(dataset, "no subjects (sub-*) in it", "give a BIDS folder or a JSON datalist")
    if subjects is not None:
        cases = select(cases, subjects)
    return _labelled(dataset, cases, label, subjects is not None) if label and require_label else cases


def select(cases: Iterable[Item], subjects: Iterable[str]) -> list[Item]:
    """Keep the cases of ``subjects`` (with or without ``sub-``).

    Raises:
        InputError: if a subject has no case.
    """
    cases, wanted = list(cases), {_with_prefix(subject) for subject in subjects}
    present = {_with_prefix(case["subject"]) for case in cases}
    if absent := sorted(wanted - present):
        raise InputError.at(", ".join(absent), "no such subject", f"choose among {', '.join(sorted(present))}")
    return [case for case in cases if _with_prefix(case["subject"]) in wanted]


def split(
    cases: Iterable[Item], n_validation: int | None = None, fraction: float = 0.2, seed: int = 0
) -> tuple[list[Item], list[Item]]:
    """Split into training and validation cases; all sessions of a subject stay on one side.

    A split that the datalist tells is kept unless ``n_validation`` is given.

    Args:
        cases: as from :func:`find_cases`.
        n_validation: number of subjects for validation, 0 for none.
        fraction: part of the subjects for validation if there is no ``n_validation``, at least one.
        seed: of the draw, which depends on nothing else than the sorted subjects.

    Raises:
        InputError: if no subject would be left for training.
    """
    cases = list(cases)
    if n_validation is None and any(case.get("split") == "validation" for case in cases):
        held_out = {case["subject"] for case in cases if case.get("split") == "validation"}
    else:
        subjects = sorted({case["subject"] for case in cases})
        n_drawn = max(1, round(fraction * len(subjects))) if n_validation is None else n_validation
        if not 0 <= n_drawn < len(subjects):
            problem = f"{n_drawn} of {len(subjects)} subjects for validation leave none for training"
            raise InputError.at("split", problem, "add subjects, or ask for fewer")
        held_out = {subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))[:n_drawn]}
    training = [case for case in cases if case["subject"] not in held_out]
    return training, [case for case in cases if case["subject"] in held_out]


def write_description(
    folder: Path | str, name: str, *, generated_by: Mapping[str, str] | None = None, **fields: Any
) -> Path:
    """Write ``dataset_description.json``: of a derivative if ``generated_by`` (Name, Version) is given.

    Args:
        folder: made if it is not there.
        name: of the dataset.
        generated_by: what made the derivative, such as ``{"Name": "mri-attention", "Version": "0.1.0"}``.
        fields: more of BIDS' fields, such as ``License``.

    Raises:
        InputError: if the folder cannot be written.
    """
    kind = "raw" if generated_by is None else "derivative"
    description: dict[str, Any] = {"Name": name, "BIDSVersion": BIDS_VERSION, "DatasetType": kind}
    if generated_by is not None:
        description["GeneratedBy"] = [dict(generated_by)]
    path = Path(folder) / "dataset_description.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(description | fields, indent=2) + "\n", encoding="utf-8")
    return path


def _with_prefix(subject: str) -> str:
    return subject if subject.startswith("sub-") else f"sub-{subject}"


def _anat_folders(dataset: Path, subjects: Iterable[str] | None) -> list[Path]:
    wanted = None if subjects is None else {_with_prefix(subject) for subject in subjects}
    folders = []
    for subject in sorted(p for p in dataset.glob("sub-*") if p.is_dir()):
        if wanted is None or subject.name in wanted:
            sessions = sorted(p for p in subject.glob("ses-*") if p.is_dir())
            folders += [parent / "anat" for parent in sessions or [subject]]
    return folders


def _bids_case(dataset: Path, anat: Path, contrasts: Sequence[str], label: str | None) -> Item:
    parent = anat.parent.relative_to(dataset)
    subject, session = parent.parts[0], "" if len(parent.parts) == 1 else parent.parts[1]
    stem = Case(subject, session).name
    case = Case(subject, session, [str(_one_image(anat, stem, contrast)) for contrast in contrasts])
    if label is not None:
        pipeline, _, suffix = label.rpartition("/")
        found = sorted(dataset.glob(f"derivatives/{pipeline or '*'}/{parent}/anat/{stem}_{suffix}.nii*"))
        if len(found) > 1:
            folders = ", ".join(path.relative_to(dataset).parts[1] for path in found)
            remedy = f"choose one of the derivatives, as in {found[0].relative_to(dataset).parts[1]}/{suffix}"
            raise InputError.at(anat, f"labels {suffix} in several derivatives ({folders})", remedy)
        if found:
            case = replace(case, label=str(found[0]))
    return case.item()


def _one_image(anat: Path, stem: str, contrast: str) -> Path:
    """Find ``stem_contrast``, else the only file with more entities between the two."""
    for name in (f"{stem}_{contrast}", f"{stem}_*_{contrast}"):
        found = sorted(path for end in ("nii.gz", "nii") for path in anat.glob(f"{name}.{end}"))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found)
            problem = f"several {contrast} images ({names})"
            raise InputError.at(anat, problem, "keep one, or give a JSON datalist")
    remedy = f"add {stem}_{contrast}.nii.gz, or leave {stem} out by `subjects`"
    raise InputError.at(anat, f"{stem} has no {contrast} image", remedy)


def _labelled(dataset: Path, cases: list[Item], label: str, is_chosen: bool) -> list[Item]:
    without = [Case.of(case).name for case in cases if "label" not in case]
    if without and (is_chosen or len(without) == len(cases)):
        problem = f"no {label} for {', '.join(without)}"
        raise InputError.at(dataset, problem, f"add derivatives/*/sub-*/anat/sub-*_{label}.nii.gz")
    if without:
        logger.warning("%s: left out for want of %s: %s", dataset, label, ", ".join(without))
    return [case for case in cases if "label" in case]
