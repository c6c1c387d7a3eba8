"""Cases of datalists in JSON, as MONAI knows them."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .case import Case, subject_and_session
from .contrast_files import contrast_of, in_order
from .datalist_entries import Entry, read_entries
from .file_names import stem_of
from .input_error import InputError

logger = logging.getLogger(__name__)


def read_datalist(
    path: Path, contrasts: Sequence[str], skip_missing: bool = False, optional: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Read cases (see :func:`find_cases`), sorted by subject and session.

    A datalist is a list of ``{"image": path, paths or {contrast: path}, "label": path, "mask": path, "subject": name,
    "session": name}``, of which only ``image`` has to be there, or ``{"training": list, "validation": list}``. With
    ``kspace`` (and ``reference``) in the place of an image, the others are listed. Relative paths start at the
    datalist's folder. Subject and session are those of the entry, else of the name of its k-space or last image.

    Cases whose images have the same names get a ``result_prefix``, by which their results differ.

    Args:
        path: of the datalist.
        contrasts: names of the images, in order.
        skip_missing: leave out cases that name files which are not there, with a warning, instead of refusing them.
        optional: contrasts that an entry may lack, if it tells the others by name, or by the ends of their files'
            names.

    Raises:
        InputError: if it is no datalist, or names too few images or files that are not there.
    """
    entries = read_entries(path)
    cases = [(entry, _case(path.parent, entry, contrasts, optional)) for entry in entries]
    cases = [(entry, case) for entry, case in cases if _is_complete(path, case, skip_missing)]
    found = _with_prefixes([case for _, case in cases], [entry for entry, _ in cases])
    return sorted(found, key=lambda case: (case["subject"], case["session"]))


def _case(folder: Path, entry: Entry, contrasts: Sequence[str], optional: Sequence[str]) -> Case:
    files = {name: str(folder / file) for name, file in entry.files.items()}
    image = _images(folder, entry, contrasts, optional)
    last = Case(image=image).images[-1]
    subject, session = subject_and_session(files.get("kspace", last))
    others = {} if entry.split is None else {"split": entry.split}
    names = {"subject": subject, "session": session} | entry.names
    return Case(**names, image=image, **files, others=others)


def _images(
    folder: Path, entry: Entry, contrasts: Sequence[str], optional: Sequence[str]
) -> Sequence[str | None] | str:
    """Return a path for each contrast, but one where k-space stands for it; or one path beside which all are found."""
    image, n_images = entry.image, len(contrasts) - ("kspace" in entry.files)
    if optional and isinstance(image, list | dict) and len(image) < n_images:
        return _fewer_images(folder, entry, contrasts, optional)
    if isinstance(image, dict):
        named = [image[contrast] for contrast in contrasts if contrast in image]
        image = named if len(named) == n_images else None
    if not isinstance(image, str | list) or (isinstance(image, list) and len(image) != n_images):
        problem = f"{json.dumps(entry.image)} lacks an image per contrast"
        but = ", but that of which there is k-space" if "kspace" in entry.files else ""
        raise InputError.at(entry.place, problem, f"give a list in the order {', '.join(contrasts)}{but}")
    return [str(folder / part) for part in image] if isinstance(image, list) else str(folder / image)


def _fewer_images(folder: Path, entry: Entry, contrasts: Sequence[str], optional: Sequence[str]) -> list[str | None]:
    told = entry.image
    image = told if isinstance(told, dict) else {str(contrast_of(path, contrasts)): path for path in told}
    missing = [name for name in contrasts if name not in image and name not in optional]
    if missing or not image.keys() <= set(contrasts) or len(image) < len(told):
        problem = f"{json.dumps(told)} does not tell which contrasts these are, or lacks one that is needed"
        remedy = f"name them by contrast ({', '.join(contrasts)}); only {', '.join(optional)} may be missing"
        raise InputError.at(entry.place, problem, remedy)
    return in_order({name: folder / path for name, path in image.items()}, contrasts)


def _is_complete(datalist: Path, case: Case, skip_missing: bool) -> bool:
    files = [*case.images, *filter(None, (case.label, case.mask, case.kspace, case.reference))]
    missing = next((file for file in files if not Path(file).exists()), None)
    if missing is None:
        return True
    problem = f"no such file, named in {datalist.name}"
    if not skip_missing:
        raise InputError.at(missing, problem, "correct the datalist, or set `skip_incomplete` to true")
    logger.warning("%s: %s: %s left out", missing, problem, case.name)
    return False


def _with_prefixes(cases: Sequence[Case], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Tell the results of cases apart whose files have the same names, by subject and session or folders."""
    stems = [_stems(case) for case in cases]
    if any(None in tuple(case.image) for case in cases):
        stems = [stem[-1:] for stem in stems]  # whatever else is there, results are named after the last
    groups = {
        stem: [n for n, other in enumerate(stems) if other == stem]
        for stem, count in Counter(stems).items()
        if count > 1
    }
    if not groups:
        return [case.item() for case in cases]
    found = [replace(case, others={**case.others, "result_prefix": ""}) for case in cases]
    for stem, numbers in groups.items():
        prefixes = _prefixes([cases[n] for n in numbers], [entries[n] for n in numbers])
        for n, prefix in zip(numbers, prefixes, strict=True):
            is_named = "subject" in entries[n].names or cases[n].subject != stem[-1]
            subject = cases[n].subject if is_named else f"{prefix}_{cases[n].subject}"
            found[n] = replace(cases[n], subject=subject, others={**cases[n].others, "result_prefix": prefix})
    return [case.item() for case in found]


def _prefixes(cases: Sequence[Case], entries: Sequence[Entry]) -> list[str]:
    names = [case.name if "subject" in entry.names else "" for case, entry in zip(cases, entries, strict=True)]
    if len(set(names)) < len(cases) or not all(names):
        files = [Path(case.images[-1]).absolute() for case in cases]
        depth = next((d for d in range(1, 64) if len({file.parts[-d - 1 :] for file in files}) == len(files)), 0)
        names = ["_".join(file.parts[-depth - 1 : -1]) or str(n) for n, file in enumerate(files, start=1)]
    return [re.sub(r"[^\w.+-]+", "-", name) for name in names]


def _stems(case: Case) -> tuple[str, ...]:
    return tuple(stem_of(image) for image in case.images)
