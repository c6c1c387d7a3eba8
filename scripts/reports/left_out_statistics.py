"""Statistics over patients, each of whom was left out of the training in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..running.comparison_plan import Training
from .comparison_statistics import describe_all, judging_metrics, mean_of_defined, metric_values
from .metric_texts import decimals_of, number_text, title_of
from .table import Table


def over_patients(trainings: Mapping[str, Sequence[Training]]) -> list[Training]:
    """Return as one training what each network reached with one seed: a row for each patient, the mean over visits.

    Steps and seconds are means over the patients left out.

    Args:
        trainings: by patient left out, the same networks, seeds and conditions for each.
    """
    return [_joined(of_all) for of_all in zip(*trainings.values(), strict=True)]


def _joined(trainings: Sequence[Training]) -> Training:
    steps, seconds = (float(np.mean([getattr(t, name) for t in trainings])) for name in ("steps", "seconds"))
    rows = [_mean_over_visits(training) for training in trainings]
    return replace(trainings[0], rows=rows, steps=round(steps), seconds=seconds, files=[])


def _mean_over_visits(training: Training) -> dict[str, float]:
    visits = {metric: np.array([row[metric] for row in training.rows], dtype=float) for metric in training.rows[0]}
    return {metric: float(mean_of_defined(values)) for metric, values in visits.items()}


def describe_left_out(pooled: Sequence[Training], patients: Sequence[str], baseline: str) -> list[dict[str, Any]]:
    """Describe each network as :func:`describe_all` does, with patients in the place of cases, and every patient.

    Args:
        pooled: as from :func:`over_patients`.
        patients: their names, in the order of the rows.
        baseline: which contender the others are tested against.
    """
    described = describe_all(pooled, baseline)
    contenders = dict.fromkeys(training.contender for training in pooled)
    for entry, contender in zip(described, contenders, strict=True):
        own = [training for training in pooled if training.contender == contender]
        means = {metric: mean_of_defined(metric_values(own, metric), 0) for metric in pooled[0].rows[0]}
        entry["patients"] = {
            patient: {metric: float(values[number]) for metric, values in means.items()}
            for number, patient in enumerate(patients)
        }
    return described


def patient_table(entry: Mapping[str, Any], baseline: str, pooled: Sequence[Training]) -> Table:
    """Return of one network a row for each patient, and below the mean over them, spreads and difference."""
    metrics, patients = list(pooled[0].rows[0]), entry["patients"]
    rows = [[name, *(_text(metric, row[metric]) for metric in metrics)] for name, row in patients.items()]
    judging = judging_metrics(pooled)
    summary = {metric: _summary(metric, entry, baseline) for metric in judging}
    for name in summary[judging[0]]:
        rows.append([name, *(summary[metric][name] if metric in summary else "" for metric in metrics)])
    return Table(["left out", *map(title_of, metrics)], rows, entry["network"])


def _summary(metric: str, entry: Mapping[str, Any], baseline: str) -> dict[str, str]:
    described = entry["metrics"][metric]
    values = np.array([row[metric] for row in entry["patients"].values()], dtype=float)
    defined = values[~np.isnan(values)]
    texts = {"mean": _text(metric, described["mean"]), "sd over patients": _text(metric, described["sd"])}
    for name, extreme in (("smallest", np.min), ("largest", np.max)):
        texts[name] = _text(metric, float(extreme(defined)) if defined.size else np.nan)
    texts["sd over seeds"] = _text(metric, described["seed_sd"])
    if "difference" in described:
        texts[f"difference from {baseline}"] = _text(metric, described["difference"], "+")
        texts["from (95 %)"], texts["to (95 %)"] = (_text(metric, described[end], "+") for end in ("low", "high"))
        texts["p"] = "" if np.isnan(described["p"]) else f"{described['p']:.3g}"
    return texts


def _text(metric: str, value: float, sign: str = "") -> str:
    if np.isnan(value):
        return number_text(value, 0)
    return f"{value:{sign}.{decimals_of(metric)}f}"
