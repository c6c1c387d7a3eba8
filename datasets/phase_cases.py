"""Cases with phase and magnitude of gradient echoes, of BIDS folders and datalists."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bids import select
from .bids_folder import IncompleteCaseError, anat_folders, derivative_of, logger
from .case import Case, subject_and_session
from .datalist_entries import Entry, read_entries
from .file_names import is_nifti, stem_of
from .input_error import InputError
from .number_signs import remedy_for
from .selection import Selection

ECHO_OR_PART = re.compile(r"_(echo|part)-[^_]+")


def find_phase_cases(
    dataset_dir: Path | str, selection: Selection | Mapping[str, Any] | None = None, label: str | None = None
) -> list[dict[str, Any]]:
    """List the cases of a dataset that have phase, sorted by subject and session.

    Of a BIDS folder those with ``anat/sub-*[_echo-N]_part-phase_MEGRE.nii.gz``, or with another suffix, and
    ``part-mag`` (or without ``part``) beside them; their mask is ``desc-brain_mask`` of ``derivatives/*/``, where there
    is one. Entries of a datalist have ``phase`` and ``magnitude``, a path or a list of them, and may have a ``mask``.

    Args:
        dataset_dir: BIDS folder or JSON datalist.
        selection: what of the dataset to take, see :class:`Selection`.
        label: truth in ``derivatives/*/``, such as ``"Chimap"``, or of the entries of a datalist; None for none.

    Returns:
        ``{"subject": "sub-01", "session": "", "image": [first phase], "phase": [paths], "magnitude": [paths]}`` each,
        with ``mask`` where there is one, and ``label`` where it is wanted.

    Raises:
        InputError: if the dataset or a wanted part of it is missing, or a case lacks phase, magnitude or a label.
    """
    dataset, wanted = Path(dataset_dir), Selection.of(selection)
    if not dataset.exists():
        raise InputError.at(dataset, "no such folder or datalist", remedy_for(dataset, "check `dataset_dir`"))
    if dataset.is_file():
        found = [_listed(dataset.parent, entry, label) for entry in read_entries(dataset)]
        _require_apart(dataset, found)
        return sorted(select([case.item() for case in found], wanted), key=lambda c: (c["subject"], c["session"]))
    cases = []
    for anat in anat_folders(dataset, wanted):
        try:
            cases.append(_case(dataset, anat, wanted, label).item())
        except IncompleteCaseError as error:
            if not wanted.skip_incomplete:
                raise
            logger.warning("%s: left out", str(error).rpartition("; ")[0])
    if not cases:
        raise InputError.at(dataset, "no subjects (sub-*) with phase", "give a BIDS folder or a JSON datalist")
    return cases


def name_without_echo(stem: str) -> str:
    """Return the name of a scan: ``sub-01_MEGRE`` of ``sub-01_echo-2_part-phase_MEGRE``, of any other its own."""
    return ECHO_OR_PART.sub("", stem) if "_part-phase_" in stem else stem


def _case(dataset: Path, anat: Path, wanted: Selection, label: str | None) -> Case:
    parent = anat.parent.relative_to(dataset)
    subject, session = parent.parts[0], "" if len(parent.parts) == 1 else parent.parts[1]
    name = Case(subject, session).name
    files = wanted.preferred([file for file in sorted(anat.glob(f"{name}_*part-phase_*.nii*")) if is_nifti(file)])
    groups: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        groups[name_without_echo(file.name)].append(file)
    if len(groups) != 1:
        problem = f"{name} has {'several scans' if groups else 'no image'} with part-phase{wanted.described()}"
        listed = f" ({', '.join(groups)})" if groups else ""
        remedy = "choose one by `runs` or `acquisitions`" if groups else f"add {name}_part-phase_MEGRE.nii.gz"
        raise IncompleteCaseError.at(anat, problem + listed, f"{remedy}, or give a JSON datalist")
    phase = sorted(files, key=_echo_number)
    magnitude = [_magnitude_of(file) for file in phase]
    case = Case(subject, session, _texts(phase[:1]), phase=_texts(phase), magnitude=_texts(magnitude))
    found = {"mask": derivative_of(dataset, anat, name, "desc-brain_mask", wanted)}
    if label is not None:
        found["label"] = derivative_of(dataset, anat, name, label, wanted)
        if found["label"] is None:
            problem, remedy = f"no {label} in derivatives", f"add derivatives/*/{parent}/anat/{name}_{label}.nii.gz"
            raise IncompleteCaseError.at(anat, problem, remedy)
    there: dict[str, Any] = {key: str(file) for key, file in found.items() if file is not None}
    return replace(case, **there)


def _texts(paths: list[Path]) -> list[str]:
    return [str(path) for path in paths]


def _echo_number(file: Path) -> int:
    found = re.search(r"_echo-(\d+)", file.name)
    return int(found[1]) if found else 0


def _magnitude_of(phase: Path) -> Path:
    name = phase.name.removesuffix(".gz").removesuffix(".nii")
    stems = name.replace("_part-phase_", "_part-mag_"), name.replace("_part-phase_", "_")
    found = [file for stem in stems for end in (".nii.gz", ".nii") if (file := phase.with_name(stem + end)).is_file()]
    if not found:
        problem = f"no magnitude beside it ({stems[0]}.nii.gz)"
        raise IncompleteCaseError.at(phase, problem, "add it, or give a JSON datalist")
    return found[0]


def _require_apart(datalist: Path, cases: list[Case]) -> None:
    """Refuse a datalist without cases, or with two whose results would have one name."""
    if not cases:
        raise InputError.at(datalist, "no cases in it", 'write [{"phase": [FILE, ...], "magnitude": [FILE, ...]}, ...]')
    names = [(case.subject, case.session, name_without_echo(stem_of(case.phase[0]))) for case in cases]
    if again := next((n for n, name in enumerate(names) if name in names[:n]), None):
        problem = f"is named {'_'.join(filter(None, names[again]))} as entry {1 + names.index(names[again])}"
        raise InputError.at(f"{datalist}, entry {again + 1}", problem, "list each scan once, or give each a subject")


def _listed(folder: Path, entry: Entry, label: str | None) -> Case:
    paths = {part: [str(folder / path) for path in entry.echoes.get(part, [])] for part in ("phase", "magnitude")}
    if missing := [part for part, files in paths.items() if not files]:
        problem = f"has no {' and no '.join(missing)}"
        raise InputError.at(entry.place, problem, 'write "phase": [FILE, ...] and "magnitude": [FILE, ...]')
    files = {name: str(folder / file) for name, file in entry.files.items() if name in ("label", "mask")}
    if label is not None and "label" not in files:
        raise InputError.at(entry.place, "has no label", 'write "label": FILE')
    for file in [*paths["phase"], *paths["magnitude"], *files.values()]:
        if not Path(file).exists():
            raise InputError.at(file, "no such file", f"correct {entry.place}")
    subject, session = subject_and_session(paths["phase"][0])
    names = {"subject": subject, "session": session} | entry.names
    return Case(**names, image=paths["phase"][:1], **files, **paths)  # type: ignore[arg-type]
