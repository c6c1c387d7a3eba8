"""Training and evaluating several networks on equal terms."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from ...datasets import InputError
from .comparison_plan import STEPS, Plan, Training, overlay_of, short_name
from .configuration import TRAINER, Configuration, Progress, no_progress
from .contest import Contestant, evaluate_network
from .evaluation import CONFIGS
from .third_parties import input_errors_unwrapped
from .training import best_validation, timed_run

SEARCH_SHARE = 0.25  # of the budget, for each learning rate that is tried


def run_plan(plan: Plan, networks: Sequence[str], n_seeds: int, progress: Progress = no_progress) -> list[Training]:
    """Train every network with every seed and evaluate it; trainings that an earlier run finished are read.

    Networks without parameters, such as interpolation, are evaluated as they are.

    Seeds are the outer loop, so that a run that is stopped has compared all networks as far as it came.
    """
    done: list[Training] = []
    rates: dict[str, Training] = {}
    for seed in range(n_seeds):
        for network in networks:
            training = Training(network, seed, None)
            if (record := plan.output_dir / training.name / "training.json").is_file():
                training = Training.read(record)
            else:
                rate = rates[network].learning_rate if network in rates else None
                with input_errors_unwrapped():
                    training = _train_and_evaluate(plan, replace(training, learning_rate=rate), progress)
                training.write(record)
            rates.setdefault(network, training)
            done.append(training)
    return done


def _train_and_evaluate(plan: Plan, training: Training, progress: Progress) -> Training:
    if plan.trained_dir is not None:
        record = plan.trained_dir / training.name / "training.json"
        if not record.is_file():
            raise InputError.at(record, "no such training", "give the output folder of an earlier compare")
        training = Training.read(record)
    elif _has_parameters(plan, training):
        if plan.learning_rates and training.learning_rate is None:
            training = _with_best_rate(plan, training, progress)
        training, _ = _train(plan, training, "", progress)
    return evaluate_training(plan, training, progress)


def _with_best_rate(plan: Plan, training: Training, progress: Progress) -> Training:
    budget, tried = replace(plan.budget, amount=SEARCH_SHARE * _amount(plan)), {}
    for rate in plan.learning_rates:
        attempt = replace(training, learning_rate=rate, tried={})
        tried[f"{rate:g}"] = _train(replace(plan, budget=budget), attempt, f"rate-{rate:g}", progress)[1]
    best = max(tried, key=lambda rate: -math.inf if math.isnan(tried[rate]) else tried[rate])
    return replace(training, learning_rate=float(best), tried=tried)


def _has_parameters(plan: Plan, training: Training) -> bool:
    return any(True for _ in plan.training(training.network).value("network_def").parameters())


def evaluate_training(plan: Plan, training: Training, progress: Progress = no_progress) -> Training:
    """Run the evaluation workflow on the test cases with the last checkpoint, as for all networks."""
    folder = plan.output_dir / training.name
    model = (plan.trained_dir or plan.output_dir) / training.name / "models" / "checkpoint_last.pt"
    settings = {"cases": plan.test_cases, "output_dir": folder / "test"}
    configs = [*CONFIGS, *plan.overlays, *overlay_of(training.network)]
    evaluation = evaluate_network(
        plan.bundle, configs, settings, Contestant(None, model), overrides=plan.inference, progress=progress
    )
    files = [str(file.relative_to(folder)) for file in evaluation.files[0]]
    return replace(training, rows=evaluation.rows, files=files)


def _train(plan: Plan, training: Training, part: str, progress: Progress) -> tuple[Training, float]:
    """Train within the budget; return what was used, and the best validation metric (NaN without validation)."""
    folder = plan.output_dir / training.name / part
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
    n_epochs = _epochs(plan, training, configuration, progress)
    configuration.update({"epochs": n_epochs, "val_interval": max(n_epochs // 5, 1)})
    configuration.may_overwrite()  # what an earlier run did not finish
    configuration.build()
    label = ", ".join(filter(None, (short_name(training.network), f"seed {training.seed}", part)))
    seconds = timed_run(configuration, label, progress)
    n_parameters = sum(p.numel() for p in configuration.value("network").parameters())
    steps, best = configuration.value(TRAINER).state.iteration, best_validation(configuration)
    used = replace(training, parameters=n_parameters, steps=steps, seconds=seconds)
    return used, math.nan if best is None else best


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
