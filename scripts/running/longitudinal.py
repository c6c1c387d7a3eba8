"""Following the lesions of patients over their visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError, keep_images
from .bundle import Bundle
from .configuration import Configuration, Progress, no_progress
from .outputs import require_new, staged
from .records import write_derivative_description
from .third_parties import input_errors_unwrapped
from .visit_lesions import lesions_of_visits, with_brains
from .visits import REFERENCE, Visit, visits_named, visits_of_dataset, with_lesions

if TYPE_CHECKING:
    from monai.data import MetaTensor

    from .aligned_visits import AlignedVisits
    from .visit_pairs import VisitPair

OWN_SETTINGS = ("register", "allow_nan", "selection", "dataset_dir")
"""Of the command's settings, those that tell how images are read, which is done before the network."""


@dataclass(frozen=True)
class Course:
    """The visits of one patient, compared.

    Attributes:
        subject: such as ``sub-01``.
        aligned: the visits.
        pairs: of consecutive visits.
        volumes: of all lesions of each visit, in mm^3.
        files: results, where they were written.
    """

    subject: str
    aligned: AlignedVisits
    pairs: list[VisitPair]
    volumes: list[float]
    files: list[Path] = field(default_factory=list)


def follow_up(
    bundle: Bundle | str | Path,
    visits: Path | str | Mapping[str, Mapping[str, str]],
    output_dir: Path | str,
    *,
    lesion_masks: Mapping[str, str] | None = None,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    finish: Callable[[Course, Path], Sequence[Path]] = lambda course, folder: [],
) -> list[Course]:
    """Tell what became of the lesions of patients from visit to visit: all files are written, or none.

    Args:
        bundle: segments lesions: its name, folder, or the bundle itself.
        visits: a BIDS folder or JSON datalist, or the files of one patient by session and contrast.
        output_dir: where the results go.
        lesion_masks: by session, in the place of what the network finds.
        overwrite: replace results that are in ``output_dir`` already.
        settings: config ids of the bundle and their values, such as ``model_file`` or ``selection``.
        progress: is told of each step.
        finish: is given each patient's course, and the folder into which it writes more; returns what it wrote.

    Raises:
        InputError: if an input cannot be used, a patient has one visit only, or there are results already.
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.find(bundle)
    given, output = dict(settings or {}), Path(output_dir)
    with input_errors_unwrapped(), keep_images(), staged(output, overwrite) as stage:
        configuration = Configuration(bundle, ["inference"])
        configuration.require(given)
        if lesion_masks:
            visits = _without_network(configuration, visits)
        patients = with_lesions(_find(configuration, visits, given), lesion_masks or {})
        _require_new(patients, output, overwrite)
        courses = []
        for number, patient in enumerate(patients):
            progress("aligning visits", number, len(patients))
            aligned = _align(patient, configuration)
            for visit in aligned.visits:
                visit.write(stage)
            rest = {name: value for name, value in given.items() if name not in OWN_SETTINGS}
            lesions = lesions_of_visits(bundle, aligned, stage, rest, progress)
            course = _compare(with_brains(aligned, stage), lesions)
            courses.append(_with_files(course, finish(course, stage), stage, output))
        write_derivative_description(bundle, stage, output)
    return courses


def _find(configuration: Configuration, visits: Any, settings: Mapping[str, Any]) -> list[list[Visit]]:
    if REFERENCE not in configuration.value("contrasts"):
        problem = f"knows no {REFERENCE}, in which lesions are compared"
        raise InputError.at(configuration.bundle.name, problem, "choose a bundle that segments lesions")
    configuration.update({name: settings[name] for name in OWN_SETTINGS if name in settings})
    if isinstance(visits, Mapping):
        return [visits_named(visits, configuration)]
    configuration.update({"dataset_dir": str(visits)})
    return visits_of_dataset(configuration)


def _without_network(configuration: Configuration, visits: Any) -> Any:
    """Let go of contrasts that only the network needs: T2w of datasets, and what not all named visits have."""
    from ...metrics.brain_parts import GUIDES

    known = configuration.value("contrasts")
    if not isinstance(visits, Mapping):
        configuration.update({"contrasts": [name for name in known if name in GUIDES]})
        return visits
    common = [n for n in known if n == REFERENCE or all(n in files for files in visits.values())]
    configuration.update({"contrasts": common})
    dropped = set(known) - set(common)
    return {session: {n: file for n, file in files.items() if n not in dropped} for session, files in visits.items()}


def course_files(subject: str, folder: Path) -> tuple[Path, Path, Path]:
    """Name the table of a patient's lesions, that of the visits, and the record, in a folder of results."""
    names = ("changes.tsv", "visits.tsv", "changes.json")
    lesions, visits, record = (folder / subject / f"{subject}_{name}" for name in names)
    return lesions, visits, record


def _require_new(patients: Sequence[Sequence[Visit]], output: Path, overwrite: bool) -> None:
    from .aligned_visits import expected_files

    for visits in patients:
        files = [file for visit in visits for file in expected_files(visit, output)]
        require_new([*course_files(visits[0].subject, output), *files], overwrite)


def _align(visits: Sequence[Visit], configuration: Configuration) -> AlignedVisits:
    from ...transforms.alignment import Register
    from .aligned_visits import align_visits

    voxel_size = configuration.value("spacing") if "spacing" in configuration else (1.0, 1.0, 1.0)
    allow_nan = bool(configuration.value("allow_nan")) if "allow_nan" in configuration else False
    return align_visits(visits, voxel_size, Register.of(configuration.value("register")), allow_nan)


def _compare(aligned: AlignedVisits, lesions: Sequence[MetaTensor]) -> Course:
    import numpy as np

    from .visit_pairs import compare_visits

    both = list(zip(aligned.visits, lesions, strict=True))
    pairs = [compare_visits(earlier, later, (old, new)) for (earlier, old), (later, new) in pairwise(both)]
    voxel = abs(float(np.linalg.det(aligned.visits[0].images[REFERENCE].affine.numpy()[:3, :3])))
    volumes = [voxel * int((mask.as_tensor() > 0.5).sum()) for mask in lesions]
    return Course(aligned.visits[0].visit.subject, aligned, pairs, volumes)


def _with_files(course: Course, written: Sequence[Path], stage: Path, output: Path) -> Course:
    files = [output / file.relative_to(stage) for file in written]
    return replace(course, files=files)
