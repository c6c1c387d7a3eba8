"""The visits of patients: those of a dataset, or named one by one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...datasets import Case, InputError
from .case_files import complete_case, contrasts_of
from .configuration import Configuration

logger = logging.getLogger(__name__)

REFERENCE = "FLAIR"
"""The contrast that gives the grid, and in which lesions of visits are compared."""


@dataclass(frozen=True)
class Visit:
    """One visit of one patient.

    Attributes:
        subject: such as ``sub-01``.
        session: such as ``ses-1``.
        images: file of each contrast that there is.
        mask: file of the brain mask.
        lesions: file of a lesion mask that is to be taken as it is.
    """

    subject: str
    session: str
    images: Mapping[str, str]
    mask: str | None = None
    lesions: str | None = None

    @property
    def name(self) -> str:
        """Subject and session, as file names begin."""
        return Case(self.subject, self.session).name


def visits_of_dataset(configuration: Configuration) -> list[list[Visit]]:
    """Return the visits of each patient of the config's ``cases``, in the order of the numbers in their sessions.

    Patients with one visit are left out, with a warning, unless they are all or chosen by ``selection``.

    Raises:
        InputError: if one of those has one visit only.
    """
    patients: dict[str, list[Visit]] = {}
    for case in map(Case.of, configuration.value("cases")):
        patients.setdefault(case.subject, []).append(_visit(case, configuration))
    chosen = [visits for visits in patients.values() if len(visits) > 1]
    single = [visits[0] for visits in patients.values() if len(visits) == 1]
    if single and (not chosen or configuration.value("selection").get("subjects")):
        raise too_few(single[0])
    if single:
        logger.warning("left out for want of a second visit: %s", ", ".join(visit.subject for visit in single))
    return [sorted(visits, key=_natural) for visits in chosen]


def visits_named(named: Mapping[str, Mapping[str, str]], configuration: Configuration) -> list[Visit]:
    """Return the visits of one patient in the order in which they are named.

    Args:
        named: file of each contrast, by session.
        configuration: tells which contrasts a network needs.

    Raises:
        InputError: if there is one visit only, a visit or a file is named twice, a contrast is missing or unknown, a
            session's name cannot be that of a file, or names of files tell of several patients.
    """
    subjects = {found for files in named.values() for file in files.values() for found in _subjects_in(file)}
    if len(subjects) > 1:
        problem = f"are of different patients ({', '.join(sorted(subjects))})"
        raise InputError.at("the visits", problem, "give the visits of one")
    subject = next(iter(subjects), "sub-patient")
    _require_once([_session(name) for name in named], "visit", "name each visit once")
    _require_once([file for files in named.values() for file in files.values()], "", "give each visit its own images")
    cases = [Case(subject, _session(name), dict(files)) for name, files in named.items()]
    visits = [_visit(_completed(case, configuration), configuration) for case in cases]
    if len(visits) < 2:
        raise too_few(visits[0])
    return visits


def _require_once(names: Sequence[str], kind: str, remedy: str) -> None:
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise InputError.at(f"{kind} {twice[0]}".strip(), "is given twice", remedy)


def with_lesions(patients: Sequence[list[Visit]], masks: Mapping[str, str]) -> list[list[Visit]]:
    """Give every visit of one patient its lesion mask, by session; without ``masks`` nothing is done.

    Raises:
        InputError: if a visit has none or two, or a mask no visit or no file, or there are several patients.
    """
    if not masks:
        return list(patients)
    if len(patients) > 1:
        raise InputError.at("`lesion_mask`", f"is for one patient, there are {len(patients)}", "choose by `subject`")
    (visits,) = patients
    _require_once([_session(name) for name in masks], "`lesion_mask`", "give one mask for each visit")
    by_session = {_session(name): file for name, file in masks.items()}
    sessions = [visit.session for visit in visits]
    if unknown := [name for name in by_session if name not in sessions]:
        raise InputError.at(f"`lesion_mask` {unknown[0]}", "no such visit", f"choose among {', '.join(sessions)}")
    if missing := [name for name in sessions if name not in by_session]:
        raise InputError.at(f"`lesion_mask` {missing[0]}", "is missing", "give the mask of each visit, or of none")
    for file in masks.values():
        if not Path(file).exists():
            raise InputError.at(file, "no such file", "check the path of `lesion_mask`")
    return [[replace(visit, lesions=by_session[visit.session]) for visit in visits]]


def too_few(visit: Visit) -> InputError:
    """Return the error that tells of a patient without a second visit."""
    return InputError.at(visit.name, "is the only visit of this patient", "give two or more visits")


def _completed(case: Case, configuration: Configuration) -> Case:
    try:
        return complete_case(case, configuration)
    except InputError as error:
        raise InputError(str(error).replace("`image`", f"visit {case.session}", 1)) from error


def _visit(case: Case, configuration: Configuration) -> Visit:
    return Visit(case.subject, case.session, _images(case, contrasts_of(case, configuration)), case.mask)


def _images(case: Case, contrasts: Sequence[str]) -> dict[str, str]:
    """Return the files of a case by contrast, without those that are missing."""
    if not isinstance(case.image, str | Mapping) and len(case.image) == len(contrasts):
        return {name: str(path) for name, path in zip(contrasts, case.image, strict=True) if path}
    from ...transforms.load_contrasts import contrast_paths  # takes seconds to import

    return {name: str(path) for name, path in contrast_paths(case.image, contrasts).items()}


def _session(name: str) -> str:
    plain = name.removeprefix("ses-")
    if not re.fullmatch("[A-Za-z0-9]+", plain):
        raise InputError.at(f"visit {name}", "is no name of a session", "name it by letters and digits, as in ses-1")
    return f"ses-{plain}"


def _subjects_in(file: str) -> Iterable[str]:
    return re.findall(r"sub-[A-Za-z0-9]+(?=_)", file.replace("\\", "/").rpartition("/")[2])


def _natural(visit: Visit) -> list[tuple[int, str]]:
    """Order ``ses-2`` before ``ses-10``."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", visit.session)]
