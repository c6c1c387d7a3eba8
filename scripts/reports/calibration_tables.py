"""The tables of a calibration: what a choice on the other patients makes of each patient, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from ...metrics.lesion_rates import LesionMatch
from ..running.calibration import COVERAGE, Chosen, Nested, Outcome, mean_over_patients, mean_over_visits
from ..running.left_out import EASY
from .table import Table

DECIMALS = {"DSC": 3, "L-F1": 3, "wrong lesions": 1, "ECE": 4, "ml": 2}
"""Of each measure."""


def outcome_table(nested: Sequence[Nested]) -> Table:
    """Return what each patient had as written, and what the choice on the others makes of it."""
    everyone = [outcome for each in nested for outcome in each.outcomes]
    rows = [[name, *_cells(found)] for name, found in [*((n.patient, n.outcomes) for n in nested), ("mean", everyone)]]
    return Table(["patient", "visits", *DECIMALS, "true ml", "interval", "holds it"], rows, _explain_outcomes())


def choice_table(nested: Sequence[Nested], chosen: Chosen) -> Table:
    """Return what was chosen for each patient on the others, and what is to ship."""
    rows = [[each.patient, *_chosen_cells(each.chosen)] for each in nested]
    header = ["left out", "temperature", "threshold", "smallest lesion", "grown", "interval from thresholds", "held"]
    rows.append(["nobody: to ship", *_chosen_cells(chosen)])
    return Table(header, rows, _explain_choices(len(nested)))


def measures(match: LesionMatch, error: float) -> dict[str, float]:
    """Return the numbers by the names of :data:`DECIMALS`.

    Args:
        match: lesions of a mask.
        error: expected calibration error of the map.
    """
    wrong = float((~match.predicted_hits).sum())
    volume = float(match.predicted_volumes.sum()) / 1000
    return dict(zip(DECIMALS, (match.dice, match.f1(), wrong, error, volume), strict=True))


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the cells of a patient, or of the means over patients."""
    by_map = {id(outcome.map): outcome for outcome in outcomes}
    maps = [outcome.map for outcome in outcomes]
    means = mean_over_patients(maps, lambda each: _numbers(by_map[id(each)])).tolist()
    pairs = [
        f"{before:.{places}f} → {after:.{places}f}"
        for before, after, places in zip(means[:-3:2], means[1:-3:2], DECIMALS.values(), strict=True)
    ]
    true, low, high = (f"{mean:.2f}" for mean in means[-3:])
    held = mean_over_visits(maps, lambda each: float(by_map[id(each)].is_covered))
    return [str(len({each.visit for each in maps})), *pairs, true, f"{low} to {high}", f"{held:.0%}"]


def _numbers(outcome: Outcome) -> list[float]:
    """Return each measure before and after, then the true volume and the ends of the interval (ml)."""
    before, after = measures(outcome.map.written, outcome.errors[0]), measures(outcome.match, outcome.errors[1])
    pairs = [measure[name] for name in DECIMALS for measure in (before, after)]
    return [*pairs, *(volume / 1000 for volume in (outcome.map.true_volume, *outcome.volumes))]


def _chosen_cells(chosen: Chosen) -> list[str]:
    ends = " and ".join(f"{end:g}" for end in chosen.interval)
    smallest = f"{chosen.smallest_lesion:g} mm^3"
    grown = "yes" if chosen.grow else "no"
    return [f"{chosen.temperature:.2f}", f"{chosen.threshold:g}", smallest, grown, ends, f"{chosen.coverage:.0%}"]


def _explain_outcomes() -> str:
    return (
        "Before the arrow is the mask as the comparison wrote it, behind it what the choice on the other patients "
        "makes of it. No network had seen the patient. Means over seeds, then over visits, then over patients. "
        "Wrong lesions touch no true one. ECE is the expected calibration error of the voxels whose probability, as "
        f"written, exceeds {EASY:g}. The last column is the share of visits whose true volume lies in the interval."
    )


def _explain_choices(n_patients: int) -> str:
    return (
        f"'Held' is the share of the visits from which an interval was chosen that it holds; {COVERAGE:.0%} were asked "
        f"for. Of {n_patients} patients that is a coarse guarantee: one visit changes it much, and another scanner or "
        "rater may differ from all of these. The first table tells what to expect of new patients."
    )
