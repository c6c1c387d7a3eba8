"""Datalists from BIDS folders or JSON files, and BIDS' description file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .bids_folder import folder_cases
from .case import Case
from .datalists import read_datalist
from .input_error import InputError
from .number_signs import remedy_for
from .selection import Selection
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
    selection: Selection | Mapping[str, Any] | None = None,
    optional: Sequence[str] = (),
) -> list[Item]:
    """List the cases of a dataset, sorted by subject and session.

    Args:
        dataset_dir: BIDS folder with ``sub-*/[ses-*/]anat/sub-*_{contrast}.nii.gz``, or a JSON datalist, see
            :func:`~.datalists.read_datalist`.
        contrasts: BIDS suffixes, in the order of the network's channels.
        label: such as ``"label-lesion_mask"``, searched in all ``derivatives/*/``, or
            ``"consensus/label-lesion_mask"`` for those of one of these folders.
        subjects: take only these, with or without ``sub-``.
        require_label: leave out cases without label, with a warning; among chosen subjects they are an error.
        selection: what of the dataset to take, see :class:`Selection`; the rest may be incomplete.
        optional: contrasts that may be missing.

    Returns:
        ``{"subject": "sub-01", "session": "" or "ses-1", "image": [path per contrast], "label": path}``
        each, without ``label`` where there is none, with None in the place of a contrast that is missing, and with
        what else a datalist tells.

    Raises:
        InputError: if the folder, a wanted part of it, a contrast of a subject or a wanted label is missing.
    """
    dataset, wanted = Path(dataset_dir), Selection.of(selection).among(subjects)
    if not dataset.exists():
        raise InputError.at(dataset, "no such folder or datalist", remedy_for(dataset, "check `dataset_dir`"))
    if dataset.is_file():
        cases = select(read_datalist(dataset, contrasts, wanted.skip_incomplete, optional), wanted)
    else:
        cases = folder_cases(dataset, contrasts, label, wanted, optional)
    if not cases:
        missing = "cases under training or validation" if dataset.is_file() else "subjects (sub-*)"
        raise InputError.at(dataset, f"no {missing} in it", "give a BIDS folder or a JSON datalist with cases")
    return _labelled(dataset, cases, label, wanted) if label and require_label else cases


def select(cases: Iterable[Item], wanted: Iterable[str] | Selection) -> list[Item]:
    """Keep the cases of the subjects (with or without ``sub-``) and sessions that are wanted.

    Raises:
        InputError: if a subject or session has no case, or a run or acquisition is wanted, which cases do not tell.
    """
    cases, selection = list(cases), wanted if isinstance(wanted, Selection) else Selection(subjects=tuple(wanted))
    for part in ("runs", "acquisitions"):
        if getattr(selection, part) is not None:
            raise InputError.at(f"`{part}`", "has no meaning for cases that name their files", "leave it out")
    for part, key in (("subjects", "subject"), ("sessions", "session")):
        selection.require(part, (str(case.get(key, "")) for case in cases))
        cases = [case for case in cases if selection.takes(part, str(case.get(key, "")))]
    return cases


def split(
    cases: Iterable[Item], n_validation: int | None = None, fraction: float = 0.2, seed: int = 0
) -> tuple[list[Item], list[Item]]:
    """Split into training and validation cases; all sessions of a subject stay on one side.

    A split that the datalist tells is kept unless ``n_validation`` is given.

    Args:
        cases: as from :func:`find_cases`.
        n_validation: number of subjects for validation, 0 for none.
        fraction: part of the subjects for validation if there is no ``n_validation``; one at least, and none for 0.
        seed: of the draw, which depends on nothing else than the sorted subjects.

    Raises:
        InputError: if no subject would be left for training.
    """
    cases = list(cases)
    if n_validation is None and any(case.get("split") == "validation" for case in cases):
        held_out = {case["subject"] for case in cases if case.get("split") == "validation"}
    else:
        subjects = sorted({case["subject"] for case in cases})
        drawn = max(1, round(fraction * len(subjects))) if fraction else 0
        n_drawn = drawn if n_validation is None else n_validation
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


def _labelled(dataset: Path, cases: list[Item], label: str, wanted: Selection) -> list[Item]:
    without = [Case.of(case).name for case in cases if "label" not in case]
    is_needed = wanted.subjects is not None and not wanted.skip_incomplete
    if without and (is_needed or len(without) == len(cases)):
        problem = f"no {label} for {', '.join(without)}"
        raise InputError.at(dataset, problem, f"add derivatives/*/sub-*/anat/sub-*_{label}.nii.gz")
    if without:
        logger.warning("%s: left out for want of %s: %s", dataset, label, ", ".join(without))
    return [case for case in cases if "label" in case]
