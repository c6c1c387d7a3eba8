"""Leaving out one patient in turn: of each a comparison whose networks are trained on all of the others."""

from __future__ import annotations

import logging
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

from ...datasets import InputError
from .comparison import run_plan
from .comparison_plan import Plan, Training
from .comparison_record import RECORD, start_or_continue
from .configuration import Configuration, Progress, no_progress
from .same_patient import Belongings, patients_of

logger = logging.getLogger(__name__)

FOLDER = "left-out-"
"""What the name of a patient's folder begins with."""

LABEL = "each patient left out in turn"


def leave_one_out(plan: Plan) -> dict[str, Plan]:
    """Return by patient the plan to train on all others of the plan's cases and test on all visits of this one.

    There are no validation cases. A case is not trained on either if it was made from the patient, see
    :meth:`~.same_patient.Belongings.include`, be it one of the config's ``extra_cases``; how many is told.

    Args:
        plan: its ``training_cases`` are those of all patients.

    Raises:
        InputError: if there is one patient alone, unless networks are trained already.
    """
    patients = patients_of(plan.training_cases)
    if len(patients) < 2 and plan.trained_dir is None:
        problem = f"{patients[0]} is the only patient, which leaves nobody to train on"
        raise InputError.at("`leave_one_out`", problem, "give a dataset of two patients or more")
    configuration = plan.training("default")
    _warn_of_weights(plan, configuration)
    return {patient: _without(plan, patient, configuration) for patient in patients}


def start_or_continue_left_out(plan: Plan, folds: Mapping[str, Plan], overwrite: bool = False) -> None:
    """Make the folders of all patients, or check that what is in them is of the same data, settings and budget.

    Raises:
        InputError: if another comparison is there, or results of something else.
    """
    if overwrite:
        for record in plan.output_dir.glob(f"{FOLDER}*/{RECORD}"):
            shutil.rmtree(record.parent)
    start_or_continue(replace(plan, test_cases=plan.training_cases, label=LABEL), overwrite)
    for fold in folds.values():
        start_or_continue(fold)


def run_left_out(
    folds: Mapping[str, Plan], networks: Sequence[str], n_seeds: int, progress: Progress = no_progress
) -> dict[str, list[Training]]:
    """Run the comparison of each patient, the first seed of all of them first; what was finished is read."""
    found: dict[str, list[Training]] = {}
    for n_so_far in range(1, n_seeds + 1):
        found = {patient: run_plan(fold, networks, n_so_far, progress) for patient, fold in folds.items()}
    return found


def _without(plan: Plan, patient: str, configuration: Configuration) -> Plan:
    visits = [case for case in plan.training_cases if case["subject"] == patient]
    own, name = Belongings(patient, visits), FOLDER + re.sub(r"[^\w.+-]+", "-", patient)
    others = [case for case in plan.training_cases if case["subject"] != patient]
    kept = [case for case in others if not own.include(case)]
    settings, n_dropped = _fixed(configuration, own)
    if (n_dropped := n_dropped + len(others) - len(kept)) and plan.trained_dir is None:
        what = "further training cases are of this patient or made from it, so that they are left out too"
        logger.warning("%s left out: %d %s", patient, n_dropped, what)
    return replace(
        plan,
        training_cases=kept,
        test_cases=visits,
        output_dir=plan.output_dir / name,
        trained_dir=None if plan.trained_dir is None else plan.trained_dir / name,
        fixed=settings,
        label=f"{patient} left out",
    )


def _fixed(configuration: Configuration, own: Belongings) -> tuple[dict[str, Any], int]:
    """Return settings of a training without this patient, and how many extra cases they drop."""
    settings: dict[str, Any] = {}
    if isinstance(configuration.parser.get("parts"), dict):
        settings["parts::n_validation"] = 0
    cases = configuration.value("extra_cases") if "extra_cases" in configuration else []
    is_kept = [not own.include(case) for case in cases]
    if all(is_kept):
        return settings, 0
    settings["extra_cases"] = list(compress(cases, is_kept))
    if "extra_weights" in configuration and len(weights := configuration.value("extra_weights")) == len(cases):
        settings["extra_weights"] = _as_often(weights, is_kept)
    return settings, is_kept.count(False)


def _as_often(weights: Sequence[float], is_kept: Sequence[bool]) -> list[float]:
    """Return the weights of what is kept, so that cases of equal weight are together drawn as often as before."""
    before, after = Counter(weights), Counter(compress(weights, is_kept))
    return [weight * before[weight] / after[weight] for weight in compress(weights, is_kept)]


def _warn_of_weights(plan: Plan, configuration: Configuration) -> None:
    start = configuration.value("start_from") if "start_from" in configuration else None
    if start and plan.trained_dir is None:
        what = "trainings start from these weights, which must not have been trained on a patient who is left out"
        logger.warning("%s: %s", start, what)
