"""Training and evaluating several networks on equal terms."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ...datasets import InputError
from ..reports.tables import Evaluation
from .bundles import TRAINER, VALIDATOR, build_workflow, read_value, run_workflow
from .evaluation import Contestant, evaluate_network

SEARCH_SHARE = 0.25  # of the budget, for each learning rate that is tried
STEPS, SECONDS = "steps", "seconds"


@dataclass(frozen=True)
class Budget:
    """How much a network may train.

    Attributes:
        kind: ``steps`` of the optimizer, or ``seconds`` of wall-clock.
        amount: of these; None is what the config says.
    """

    kind: str = STEPS
    amount: float | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``steps``, ``steps=N`` or ``seconds=N``.

        Raises:
            InputError: if it is none of these.
        """
        kind, has_amount, amount = text.partition("=")
        is_number = amount.replace(".", "", 1).isdigit() and float(amount) > 0
        if (kind, has_amount) == (STEPS, "") or (kind in (STEPS, SECONDS) and is_number):
            return cls(kind, float(amount) if is_number else None)
        raise InputError.at(f"--budget {text}", "not a budget", "give steps, steps=600 or seconds=300")


@dataclass(frozen=True)
class Plan:
    """What is the same for all networks.

    Attributes:
        bundle: its folder.
        overlays: configs that all networks share.
        settings: config ids and values for training.
        inference: config ids and values for evaluation.
        training_cases: datalist of training and validation.
        test_cases: datalist of the test.
        budget: of each training.
        learning_rates: to choose from by the validation cases; empty for the config's.
        output_dir: a folder for each training is made in it.
        trained_dir: folder of an earlier comparison whose trainings are tested, instead of training.
    """

    bundle: Path
    overlays: Sequence[str]
    settings: dict[str, Any]
    inference: dict[str, Any]
    training_cases: list[dict[str, Any]]
    test_cases: list[dict[str, Any]]
    budget: Budget
    learning_rates: Sequence[float]
    output_dir: Path
    trained_dir: Path | None = None


@dataclass
class Training:
    """One training of one network and what it achieved.

    Attributes:
        network: overlay, or ``default`` for the bundle's own network.
        seed: of initialization, order and augmentation.
        learning_rate: with which it trained; None for the config's.
        parameters: their number.
        steps: optimizer steps.
        seconds: of training, validation included.
        rows: metrics by name of each test case.
        tried: best validation metric of each learning rate that was tried.
    """

    network: str
    seed: int
    learning_rate: float | None
    parameters: int = 0
    steps: int = 0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    tried: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{short_name(self.network)}-{self.seed}"


def short_name(network: str) -> str:
    """Return the last part of an overlay's name."""
    return Path(network).name


def run_plan(plan: Plan, networks: Sequence[str], n_seeds: int, tell: Callable[[str], None]) -> list[Training]:
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
                training = _read(record)
            else:
                tell(f"{short_name(network)}, seed {seed}")
                rate = rates[network].learning_rate if network in rates else None
                training = _train_and_evaluate(plan, replace(training, learning_rate=rate))
                record.parent.mkdir(parents=True, exist_ok=True)
                record.write_text(json.dumps(_without_nan(asdict(training)), indent=2) + "\n")
            rates.setdefault(network, training)
            done.append(training)
    return done


def _read(record: Path) -> Training:
    return Training(**_numbers(json.loads(record.read_text())))


def _train_and_evaluate(plan: Plan, training: Training) -> Training:
    folder = plan.output_dir / training.name
    if plan.trained_dir is not None:
        record = plan.trained_dir / training.name / "training.json"
        if not record.is_file():
            raise InputError.at(record, "no such training", "give the output folder of an earlier compare")
        trained = _read(record)
        return replace(trained, rows=evaluate_training(plan, trained, folder / "test").rows)
    if not _has_parameters(plan, training):
        return replace(training, rows=evaluate_training(plan, training, folder / "test").rows)
    if plan.learning_rates and training.learning_rate is None:
        tried = {}
        for rate in plan.learning_rates:
            budget = replace(plan.budget, amount=SEARCH_SHARE * _amount(plan))
            attempt = replace(training, learning_rate=rate, tried={})
            tried[f"{rate:g}"] = _train(replace(plan, budget=budget), attempt, f"rate-{rate:g}")[1]
        best = max(tried, key=lambda rate: -math.inf if math.isnan(tried[rate]) else tried[rate])
        training = replace(training, learning_rate=float(best), tried=tried)
    trained, _ = _train(plan, training, "")
    return replace(trained, rows=evaluate_training(plan, training, folder / "test").rows)


def _has_parameters(plan: Plan, training: Training) -> bool:
    configs = ["train", *plan.overlays, *_overlay(training.network)]
    network = read_value(plan.bundle, configs, plan.settings, "network_def")
    return any(True for _ in network.parameters())


def evaluate_training(plan: Plan, training: Training, output_dir: Path) -> Evaluation:
    """Run the evaluation workflow on the test cases with the last checkpoint, as for all networks."""
    configs = ["inference", "evaluate", *plan.overlays, *_overlay(training.network)]
    model = (plan.trained_dir or plan.output_dir) / training.name / "models" / "checkpoint_last.pt"
    settings = {**plan.inference, "cases": plan.test_cases, "output_dir": str(output_dir)}
    return evaluate_network(plan.bundle, configs, settings, Contestant(None, model))


def _train(plan: Plan, training: Training, part: str) -> tuple[Training, float]:
    """Train within the budget; return what was used, and the best validation metric (NaN without validation)."""
    folder = plan.output_dir / training.name / part
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        **plan.settings,
        "cases": plan.training_cases,
        "seed": training.seed,
        "output_dir": str(folder),
        "progress": False,
        "val_interval": 1,
        **({} if training.learning_rate is None else {"learning_rate": training.learning_rate}),
    }
    configs = ["train", *plan.overlays, *_overlay(training.network)]
    n_epochs = _epochs(plan, configs, settings)
    settings |= {"epochs": n_epochs, "val_interval": max(n_epochs // 5, 1)}
    workflow = build_workflow(plan.bundle, configs, settings, workflow_type="train")
    start = time.monotonic()
    run_workflow(workflow)
    seconds = time.monotonic() - start
    state = workflow.parser.get_parsed_content(TRAINER).state
    network = workflow.parser.get_parsed_content("network")
    n_parameters = sum(p.numel() for p in network.parameters())
    validator = workflow.parser.get_parsed_content(VALIDATOR).state
    best = float(validator.best_metric) if getattr(validator, "best_metric_epoch", -1) > 0 else math.nan
    return replace(training, parameters=n_parameters, steps=state.iteration, seconds=seconds), best


def _epochs(plan: Plan, configs: Sequence[str], settings: dict[str, Any]) -> int:
    """How many epochs the budget holds; a budget of time is measured by one epoch, after one to warm up."""
    if plan.budget.amount is None:
        return int(read_value(plan.bundle, configs, settings, "epochs"))
    if plan.budget.kind == STEPS:
        return max(round(plan.budget.amount / int(read_value(plan.bundle, configs, settings, "steps"))), 1)
    from ignite.engine import Events

    stamps: list[float] = []
    trial = {**settings, "epochs": 2, "val_interval": 10**9, "output_dir": settings["output_dir"] + "/trial"}
    workflow = build_workflow(plan.bundle, configs, trial, workflow_type="train")
    trainer = workflow.parser.get_parsed_content(TRAINER)
    for event in (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED):
        trainer.add_event_handler(event, lambda: stamps.append(time.monotonic()))
    run_workflow(workflow)
    return max(round(plan.budget.amount / (stamps[3] - stamps[2])), 1)


def _amount(plan: Plan) -> float:
    if plan.budget.amount is not None:
        return plan.budget.amount
    epochs, steps = (
        int(read_value(plan.bundle, ["train", *plan.overlays], plan.settings, i)) for i in ("epochs", "steps")
    )
    return epochs * steps


def _overlay(network: str) -> list[str]:
    return [] if network == "default" else [network]


def _without_nan(content: dict[str, Any]) -> dict[str, Any]:
    rows = [{k: None if math.isnan(v) else v for k, v in row.items()} for row in content["rows"]]
    tried = {k: None if math.isnan(v) else v for k, v in content["tried"].items()}
    return content | {"rows": rows, "tried": tried}


def _numbers(content: dict[str, Any]) -> dict[str, Any]:
    rows = [{k: math.nan if v is None else v for k, v in row.items()} for row in content["rows"]]
    return content | {"rows": rows}
