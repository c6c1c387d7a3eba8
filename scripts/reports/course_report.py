"""What is written of a patient's visits: tables, label images, pictures, a page, and one line for each pair."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets import write_volume
from ...metrics.change_classes import CLASSES, DEFAULT_RULE
from ..running.longitudinal import Course, course_files
from ..running.records import write_json
from ..running.visit_pairs import VisitPair
from .change_figures import COLORS, change_figure
from .html_report import Picture, Report, Section, write_report
from .slice_panels import CONVENTION
from .table import Table

COLUMNS = (
    *("earlier_visit", "later_visit", "lesion", "class", "by_masks", "place", "earlier_mm3", "later_mm3"),
    *("change_mm3", "change_percent", "limit_mm3", "gained_mm3", "lost_mm3", "support_sd", "n_earlier", "n_later"),
    *("x_mm", "y_mm", "z_mm"),
)
DRAFT = "Nobody has read these images; uncertain lesions above all are to be looked at."


def write_course(course: Course, folder: Path) -> list[Path]:
    """Write all that is told of a patient's visits into a folder of results; return the files, the page first."""
    lesions, visits, record = course_files(course.subject, folder)
    visits_table(course).write_tsv(visits)
    changes_table(course.pairs).write_tsv(lesions)
    write_json(_record(course), record)
    pictures = [_write_pair(pair, folder) for pair in course.pairs]
    page = lesions.with_suffix(".html")
    write_report(_page(course, pictures), page)
    return [page, lesions, visits]


def pair_line(course: Course, number: int) -> str:
    """Tell in a line what became of lesions between two visits, and their volumes."""
    pair = course.pairs[number]
    found = ", ".join(f"{n} {name}" for name, n in pair.changes.counts.items())
    before, after = (volume / 1000 for volume in course.volumes[number : number + 2])
    return f"{_between(pair)}: {found} lesions; {before:.3g} to {after:.3g} ml"


def changes_table(pairs: list[VisitPair]) -> Table:
    """Return a row for each lesion of each pair of visits."""
    rows = [_row(pair, number) for pair in pairs for number in range(len(pair.changes.changes))]
    return Table(COLUMNS, rows)


def visits_table(course: Course) -> Table:
    """Return a row for each visit: the volume of its lesions, and how it moved."""
    header = ["visit", "lesions_ml", *(f"rotation_{axis}_degrees" for axis in "ras"), *(f"shift_{a}_mm" for a in "ras")]
    rows = []
    for visit, volume in zip(course.aligned.visits, course.volumes, strict=True):
        motion = np.round([*visit.motion.rotation, *visit.motion.translation], 3).tolist()
        rows.append([visit.visit.session, round(volume / 1000, 3), *motion])
    return Table(header, rows)


def _row(pair: VisitPair, number: int) -> list[Any]:
    lesion, place = pair.changes.changes[number], pair.places[number]
    center = np.round(pair.affine @ [*lesion.center, 1], 1)[:3].tolist()
    change = lesion.later - lesion.earlier
    percent = 100 * change / lesion.earlier if lesion.earlier else math.nan
    measured = (lesion.earlier, lesion.later, change, percent, lesion.limit, lesion.gained, lesion.lost)
    sizes = [round(value, 1) for value in measured]
    names = [pair.earlier.visit.session, pair.later.visit.session, lesion.number, lesion.name, lesion.by_masks, place]
    return [*names, *sizes, round(lesion.support, 2), lesion.n_earlier, lesion.n_later, *center]


def _write_pair(pair: VisitPair, folder: Path) -> bytes:
    """Write labels, difference and picture of two visits; return the picture."""
    labels = pair.later.file(folder, "desc-changes_dseg")
    write_volume(labels, pair.changes.classes, pair.affine, dtype="uint8")
    numbers = pair.later.file(folder, "desc-lesions_dseg")
    write_volume(numbers, pair.changes.groups, pair.affine, dtype="int32")
    write_volume(pair.later.file(folder, "desc-difference_FLAIR"), pair.difference, pair.affine)
    rows = [[number, name, COLORS[name]] for number, name in enumerate(CLASSES, start=1)]
    Table(["index", "name", "color"], rows).write_tsv(_with_ending(labels, ".tsv"))
    counts = ", ".join(f"{n} {name}" for name, n in pair.changes.counts.items() if n)
    png = change_figure(pair, f"{pair.later.visit.subject}, {_between(pair)}: {counts or 'no lesions'}")
    _with_ending(labels, ".png").write_bytes(png)
    return png


def _page(course: Course, pictures: list[bytes]) -> Report:
    motions = ", ".join(f"{d:.2f}" for d in course.aligned.halfway.disagreements)
    facts = {
        "visits": ", ".join(visit.visit.session for visit in course.aligned.visits),
        "registered by": f"{course.aligned.contrast}, halfway; there and back differ by {motions} mm",
        "lesions": "given masks" if course.aligned.visits[0].lesions is not None else "found by the network",
        "to beware of": DRAFT,
    }
    sections = [Section("Visits", tables=[visits_table(course)])]
    for number, (pair, png) in enumerate(zip(course.pairs, pictures, strict=True)):
        text = f"{pair_line(course, number)}. {CONVENTION}"
        picture = Picture(png, "Filled: gained or lost voxels; outlined: whole lesions.", text)
        sections.append(Section(_between(pair), [text], [_changed_lesions(pair)], [picture]))
    return Report(f"Lesions of {course.subject} from visit to visit", facts, sections)


def _changed_lesions(pair: VisitPair) -> Table:
    """Return the lesions that are not stable, the largest first."""
    rows = changes_table([pair]).rows
    places = [COLUMNS.index(name) for name in COLUMNS[2:] if name not in ("by_masks", "limit_mm3")]
    changed = [row for row in rows if row[COLUMNS.index("class")] != "stable"]
    header = [COLUMNS[place] for place in places]
    return Table(header, [[row[place] for place in places] for row in changed], "All but stable lesions.")


def _record(course: Course) -> dict[str, Any]:
    """Return how the numbers came about."""
    visits = {
        visit.visit.session: {"Sources": dict(visit.visit.images), "LesionMask": visit.visit.lesions}
        for visit in course.aligned.visits
    }
    return {
        "Visits": visits,
        "RegisteredBy": course.aligned.contrast,
        "ThereAndBackMillimeters": [round(value, 3) for value in course.aligned.halfway.disagreements],
        "Rule": {
            "BorderMillimeters": DEFAULT_RULE.border,
            "SmallestChangeCubicMillimeters": DEFAULT_RULE.min_volume,
            "SmallestSupportDeviations": DEFAULT_RULE.min_support,
        },
        "Counts": {_between(pair): pair.changes.counts for pair in course.pairs},
    }


def _between(pair: VisitPair) -> str:
    return f"{pair.earlier.visit.session} to {pair.later.visit.session}"


def _with_ending(path: Path, ending: str) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ending)
