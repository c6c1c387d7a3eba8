"""One training of a comparison, within its budget; one that was stopped goes on from its newest whole checkpoint."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...datasets import InputError
from .comparison_plan import RECORD, STEPS, Plan, Training, short_name
from .configuration import TRAINER, Configuration, Progress
from .given import as_text
from .records import write_json
from .training import best_validation, timed_run

logger = logging.getLogger(__name__)

SEARCH_SHARE = 0.25  # of the budget, for each learning rate that is tried
BEGUN, TRAINED = "begun.json", "trained.json"
"""Written when a training begins, and when it is done but not tested yet."""

ELSEWHERE = ("_meta_", "bundle_root", "output_dir", "progress", "resume")
"""Ids that may differ when a training goes on."""


def trained(plan: Plan, training: Training, progress: Progress) -> Training:
    """Train a network as ``plan`` says, or read what the comparison in its ``trained_dir`` trained.

    Raises:
        InputError: if there is no such training.
    """
    if plan.trained_dir is not None:
        return _of_earlier(plan.trained_dir / training.name, training)
    if not any(True for _ in plan.training(training.network).value("network_def").parameters()):
        return training
    if plan.learning_rates and training.learning_rate is None:
        training = _with_best_rate(plan, training, progress)
    return _train(plan, training, "", progress)[0]


def _of_earlier(folder: Path, training: Training) -> Training:
    record = next((file for name in (RECORD, TRAINED) if (file := folder / name).is_file()), None)
    if record is None:
        raise InputError.at(folder / RECORD, "no such training", "give the output folder of an earlier compare")
    earlier = Training.read(record)
    return replace(earlier, network=training.network, rows=[], files=[], condition={})


def _with_best_rate(plan: Plan, training: Training, progress: Progress) -> Training:
    budget, tried = replace(plan.budget, amount=SEARCH_SHARE * _amount(plan)), {}
    for rate in plan.learning_rates:
        attempt = replace(training, learning_rate=rate, tried={})
        tried[f"{rate:g}"] = _train(replace(plan, budget=budget), attempt, f"rate-{rate:g}", progress)[1]
    best = max(tried, key=lambda rate: -math.inf if math.isnan(tried[rate]) else tried[rate])
    return replace(training, learning_rate=float(best), tried=tried)


def _train(plan: Plan, training: Training, part: str, progress: Progress) -> tuple[Training, float]:
    """Train within the budget; return what was used, and the best validation metric (NaN without validation)."""
    folder = plan.output_dir / training.name / part
    if (record := folder / TRAINED).is_file():
        best = json.loads(record.read_text(encoding="utf-8"))["best"]
        return Training.read(record), math.nan if best is None else float(best)
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "cases": plan.training_cases,
        "seed": training.seed,
        "output_dir": folder,
        "progress": False,
        "val_interval": 1,
        **({} if training.learning_rate is None else {"learning_rate": training.learning_rate}),
    }
    configuration = plan.training(training.network, settings)
    _begin_or_go_on(plan, training, configuration, folder, progress)
    configuration.build()
    label = ", ".join(filter(None, (plan.label, short_name(training.network), f"seed {training.seed}", part)))
    seconds = timed_run(configuration, label, progress)
    n_parameters = sum(p.numel() for p in configuration.value("network").parameters())
    steps, best = configuration.value(TRAINER).state.iteration, best_validation(configuration)
    used = replace(training, parameters=n_parameters, steps=steps, seconds=seconds)
    write_json(asdict(used) | {"best": best}, record)
    return used, math.nan if best is None else best


def _begin_or_go_on(
    plan: Plan, training: Training, configuration: Configuration, folder: Path, progress: Progress
) -> None:
    """Set the number of epochs, and whether the training goes on from a checkpoint of the same settings."""
    digest, begun = _digest(configuration), _begun(folder)
    goes_on = begun.get("settings") == digest
    if begun and not goes_on:
        logger.warning("%s: begun with other settings, so it starts over", folder)
    n_epochs = int(begun["epochs"]) if goes_on else _epochs(plan, training, configuration, progress)
    configuration.update({"epochs": n_epochs, "val_interval": max(n_epochs // 5, 1)})
    write_json({"settings": digest, "epochs": n_epochs}, folder / BEGUN)
    if goes_on and "resume" in configuration and _has_checkpoint(folder / "models"):
        configuration.update({"resume": True})
    else:
        configuration.may_overwrite()  # what an earlier run did not finish


def _digest(configuration: Configuration) -> str:
    """Return what the merged configs come to, wherever they and the results lie."""
    content = {name: value for name, value in configuration.parser.get().items() if name not in ELSEWHERE}
    return hashlib.sha256(json.dumps(as_text(content), default=str, sort_keys=True).encode()).hexdigest()


def _begun(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / BEGUN).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _has_checkpoint(folder: Path) -> bool:
    from ...handlers.checkpoint_files import read_checkpoint

    return any(read_checkpoint(file) is not None for file in folder.glob("checkpoint_*.pt"))


def _epochs(plan: Plan, training: Training, configuration: Configuration, progress: Progress) -> int:
    """How many epochs the budget holds; a budget of time is measured by one epoch, after one to warm up."""
    if plan.budget.amount is None:
        return int(configuration.value("epochs"))
    if plan.budget.kind == STEPS:
        return max(round(plan.budget.amount / int(configuration.value("steps"))), 1)
    from ignite.engine import Events

    stamps: list[float] = []
    trial = plan.training(training.network, configuration.settings)
    trial.update({"epochs": 2, "val_interval": 10**9, "output_dir": f"{configuration.output_dir}/trial"})
    trial.may_overwrite()
    trial.build()
    trainer = trial.value(TRAINER)
    for event in (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED):
        trainer.add_event_handler(event, lambda: stamps.append(time.monotonic()))
    trial.run(f"{short_name(training.network)}, measuring time", progress)
    return max(round(plan.budget.amount / (stamps[3] - stamps[2])), 1)


def _amount(plan: Plan) -> float:
    if plan.budget.amount is not None:
        return plan.budget.amount
    configuration = plan.training("default")
    return int(configuration.value("epochs")) * int(configuration.value("steps"))
