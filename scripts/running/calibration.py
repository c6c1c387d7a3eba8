"""Choosing temperature, threshold, growing, smallest lesion and volume interval on patients not seen in training."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...metrics.calibration import TEMPERATURES, fit_temperature, reliability, tempered
from ...metrics.lesion_rates import LesionMatch
from ...transforms.small_lesions import drop_small_lesions, smallest_count
from .configuration import Progress, no_progress
from .left_out import GROWN_SMALLEST, GROWN_THRESHOLDS, LeftOutMap

logger = logging.getLogger(__name__)

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of the tempered probability."""

SMALLEST = (0.0, 3.0, 5.0, 10.0, 15.0, 20.0)
"""mm^3 of a lesion that stays."""

LEVELS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
"""Lower thresholds of the volume interval, whose upper ones are what they lack to 1."""

COVERAGE = 0.8
"""Share of visits whose true volume the interval is to hold."""

Maps = Sequence[LeftOutMap]


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        temperature: by which logits are divided.
        threshold: of the probability at this temperature.
        smallest_lesion: mm^3.
        interval: thresholds whose volumes are the interval; the lower one first.
        coverage: share of the visits, from which all this was chosen, whose true volume the interval holds.
        grow: whether lesions grow from the threshold to their border.
    """

    temperature: float
    threshold: float
    smallest_lesion: float
    interval: tuple[float, float]
    coverage: float
    grow: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a choice makes of one map.

    Attributes:
        map: of a patient who had no part in the choice.
        match: lesions at the threshold, without the small ones, grown where that was chosen.
        volumes: mm^3 of the interval's ends.
        errors: expected calibration error of the doubtful voxels, as written and at the temperature.
    """

    map: LeftOutMap
    match: LesionMatch
    volumes: tuple[float, float]
    errors: tuple[float, float]

    @property
    def is_covered(self) -> bool:
        """Whether the interval holds the true volume."""
        return self.volumes[0] <= self.map.true_volume <= self.volumes[1]


@dataclass(frozen=True)
class Nested:
    """A patient, what was chosen on the others, and what it makes of this one."""

    patient: str
    chosen: Chosen
    outcomes: list[Outcome]


def calibrate(maps: Maps, progress: Progress = no_progress) -> tuple[list[Nested], Chosen]:
    """Choose for each patient on the others alone, and then on all: what is to ship.

    Args:
        maps: of two patients or more.
        progress: is told of each choice.

    Returns:
        The choices and outcomes of the patients, and the choice on all.
    """
    if any(each.surroundings is None for each in maps):  # what is chosen on some must be applicable to all
        maps = [replace(each, surroundings=None) for each in maps]
    patients = sorted({each.patient for each in maps})
    nested = []
    for number, patient in enumerate(patients):
        progress("choosing", number, len(patients) + 1, f"for {patient}")
        chosen = choose([each for each in maps if each.patient != patient])
        outcomes = [outcome(each, chosen) for each in maps if each.patient == patient]
        nested.append(Nested(patient, chosen, outcomes))
    progress("choosing", len(patients), len(patients) + 1, "on all patients")
    chosen = choose(maps)
    progress("choosing", len(patients) + 1, len(patients) + 1)
    _warn(chosen)
    return nested, chosen


def choose(maps: Maps) -> Chosen:
    """Choose on the given maps: the temperature first, then what makes masks of it, then the interval.

    Threshold, smallest lesion and whether lesions grow are those of the largest mean over patients of DSC and L-F1, in
    equal parts. Of equal ones, lesions do not grow, the smaller lesion stays, and the threshold is nearer to 0.5.
    """
    by_patient = defaultdict(list)
    for each in maps:
        by_patient[each.patient].append(each.logits)
    temperature = fit_temperature(list(by_patient.values()))
    may_grow = all(each.surroundings is not None for each in maps)
    scores = mean_over_patients(maps, lambda each: _scores(each, temperature, may_grow)).tolist()
    options = [Chosen(temperature, *option, (0.0, 1.0), 0.0) for option in product(THRESHOLDS, SMALLEST)]
    if may_grow:
        grown = product(tempered(GROWN_THRESHOLDS, temperature).tolist(), GROWN_SMALLEST)
        options += [Chosen(temperature, round(each, 4), size, (0.0, 1.0), 0.0, grow=True) for each, size in grown]
    # nearer to 0 or 1, rounding would make another threshold of it
    usable = [each for each in zip(scores, options, strict=True) if LEVELS[-1] <= each[1].threshold <= 1 - LEVELS[-1]]
    best = max(usable, key=lambda each: _rank(*each))[1]
    interval, coverage = _interval(maps, best)
    return replace(best, interval=interval, coverage=coverage)


def outcome(each: LeftOutMap, chosen: Chosen) -> Outcome:
    """Apply a choice to a map."""
    match = _result(each, chosen)
    low, high = _ends(each, chosen, chosen.interval, float(match.predicted_volumes.sum()))
    probability, truth = each.doubtful
    errors = (reliability(p, truth).expected_error for p in (probability, tempered(probability, chosen.temperature)))
    before, after = errors
    return Outcome(each, match, (low, high), (before, after))


def mean_over_patients(maps: Maps, value: Callable[[LeftOutMap], Any]) -> NDArray[np.float64]:
    """Return the mean over patients of the mean over their visits of the mean over networks, NaN left out of each."""
    values: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for each in maps:
        values[each.patient][each.visit].append(value(each))
    return _mean([_mean([_mean(seeds) for seeds in visits.values()]) for visits in values.values()])


def mean_over_visits(maps: Maps, value: Callable[[LeftOutMap], float]) -> float:
    """Return the mean over visits of the mean over networks."""
    values: dict[str, list[float]] = defaultdict(list)
    for each in maps:
        values[each.visit].append(value(each))
    return float(_mean([_mean(seeds) for seeds in values.values()]))


def _warn(chosen: Chosen) -> None:
    if not 1.01 * TEMPERATURES[0] < chosen.temperature < 0.99 * TEMPERATURES[1]:
        logger.warning("the temperature is %.3g, the end of its range: look at reliability.png", chosen.temperature)
    if chosen.coverage < COVERAGE:
        text = "the widest interval of volumes holds the true one of %.0f %% of the visits, not of %.0f %%"
        logger.warning(text, 100 * chosen.coverage, 100 * COVERAGE)


def _scores(each: LeftOutMap, temperature: float, may_grow: bool) -> NDArray[np.float64]:
    """Return the mean of DSC and L-F1 for each threshold and smallest lesion, then grown ones, ``(n_options,)``."""
    matches = [match for threshold in THRESHOLDS for match in _match(each, temperature, threshold, SMALLEST)]
    matches += each.grown_matches if may_grow else []
    return np.array([(match.dice + match.f1()) / 2 for match in matches])


def _result(each: LeftOutMap, chosen: Chosen) -> LesionMatch:
    """Return the lesions as the bundle would mark them."""
    if not chosen.grow:
        return _match(each, chosen.temperature, chosen.threshold, (chosen.smallest_lesion,))[0]
    mask = each.mask(chosen.threshold, chosen.temperature)
    return each.true_lesions.match(each.grown(drop_small_lesions(mask, each.voxel_volume, chosen.smallest_lesion)))[0]


def _match(each: LeftOutMap, temperature: float, threshold: float, smallest: Sequence[float]) -> list[LesionMatch]:
    counts = [smallest_count(size, each.voxel_volume) for size in smallest]
    return each.true_lesions.match(each.mask(threshold, temperature), counts)


def _interval(maps: Maps, chosen: Chosen) -> tuple[tuple[float, float], float]:
    """Return the narrowest interval of sufficient coverage, or the widest of all."""
    told = [float(_result(each, chosen).predicted_volumes.sum()) for each in maps]
    by_map = {id(each): volume for each, volume in zip(maps, told, strict=True)}
    levels, coverage = (chosen.threshold, chosen.threshold), 0.0
    for level in LEVELS:
        levels = min(level, chosen.threshold), max(round(1 - level, 2), chosen.threshold)

        def covers(each: LeftOutMap, levels: tuple[float, float] = levels) -> float:
            low, high = _ends(each, chosen, levels, by_map[id(each)])
            return float(low <= each.true_volume <= high)

        coverage = mean_over_visits(maps, covers)
        if coverage >= COVERAGE:
            break
    return levels, coverage


def _ends(each: LeftOutMap, chosen: Chosen, levels: tuple[float, float], told: float) -> tuple[float, float]:
    """Return the volumes of the interval, which holds that which is told."""
    low, high = (
        float(_match(each, chosen.temperature, level, (chosen.smallest_lesion,))[0].predicted_volumes.sum())
        for level in levels[::-1]
    )
    return min(low, told), max(high, told)


def _rank(score: float, option: Chosen) -> tuple[float, bool, float, float]:
    rounded = -np.inf if np.isnan(score) else round(score, 9)
    return rounded, not option.grow, -option.smallest_lesion, -abs(option.threshold - 0.5)


def _mean(values: Sequence[Any]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.ma.filled(np.ma.masked_invalid(np.array(values, dtype=float)).mean(0), np.nan)
    return mean
