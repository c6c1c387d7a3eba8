"""Training and evaluating several networks on equal terms."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .comparison_plan import RECORD, Plan, Training, overlay_of
from .comparison_training import trained
from .configuration import Progress, no_progress
from .contest import Contestant, evaluate_network
from .evaluation import CONFIGS, Condition, condition_name
from .third_parties import input_errors_unwrapped


def run_plan(plan: Plan, networks: Sequence[str], n_seeds: int, progress: Progress = no_progress) -> list[Training]:
    """Train every network with every seed and evaluate it; what an earlier run finished is read.

    Networks without parameters, such as interpolation, are evaluated as they are.

    Seeds are the outer loop, so that a run that is stopped has compared all networks as far as it came.

    Returns:
        of each seed and network in turn one training for each of the plan's conditions.
    """
    done: list[Training] = []
    rates: dict[str, Training] = {}
    for seed in range(n_seeds):
        for network in networks:
            rate = rates[network].learning_rate if network in rates else None
            tested = _train_and_evaluate(plan, Training(network, seed, rate), progress)
            rates.setdefault(network, tested[0])
            done += tested
    return done


def _train_and_evaluate(plan: Plan, training: Training, progress: Progress) -> list[Training]:
    """Return what is tested already and what is not yet, by condition; train only where a test is missing."""
    records = [_record(plan, training, condition) for condition in plan.conditions]
    if not all(record.is_file() for record in records):
        with input_errors_unwrapped():
            training = trained(plan, training, progress)
        gc.collect()  # what it cached: engines and handlers refer to each other, so that nothing else frees it
    tested = []
    for condition, record in zip(plan.conditions, records, strict=True):
        if not record.is_file():
            with input_errors_unwrapped():
                evaluate_training(plan, replace(training, condition=condition), progress).write(record)
        tested.append(Training.read(record))
    return tested


def _record(plan: Plan, training: Training, condition: Condition) -> Path:
    folder = plan.output_dir / training.name
    return (folder if condition == plan.conditions[0] else folder / "test" / condition_name(condition)) / RECORD


def evaluate_training(plan: Plan, training: Training, progress: Progress = no_progress) -> Training:
    """Run the evaluation workflow on the test cases with the last checkpoint, as for all networks."""
    folder = plan.output_dir / training.name
    test = folder / "test" / condition_name(training.condition)
    shutil.rmtree(test, ignore_errors=True)  # of a run that was stopped within it
    model = (plan.trained_dir or plan.output_dir) / training.name / "models" / "checkpoint_last.pt"
    settings = {"cases": plan.test_cases, "output_dir": test}
    configs = [*CONFIGS, *plan.overlays, *overlay_of(training.network)]
    evaluation = evaluate_network(
        plan.bundle,
        configs,
        settings,
        Contestant(None, model),
        overrides=plan.inference,
        condition=training.condition,
        progress=progress,
    )
    files = [str(file.relative_to(folder)) for file in evaluation.files[0]]
    return replace(training, rows=evaluation.rows, files=files)
