"""What a comparison of networks is made of: budget, plan and trainings."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ...datasets import Case, InputError
from .bundle import Bundle
from .configuration import Configuration
from .evaluation import Condition, condition_name
from .records import write_json

STEPS, SECONDS = "steps", "seconds"
RECORD = "training.json"
"""What a training achieved, in its folder."""


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
        raise InputError.at(f"`budget` {text}", "not a budget", "give steps, steps=600 or seconds=300")


@dataclass(frozen=True)
class Plan:
    """What is the same for all networks.

    Attributes:
        bundle: whose networks.
        overlays: configs that all networks share.
        overrides: config ids and values for MONAI's training.
        inference: those of them that there are in the evaluation.
        training_cases: datalist of training and validation.
        test_cases: datalist of the test.
        budget: of each training.
        learning_rates: to choose from by the validation cases; empty for the config's.
        output_dir: a folder for each training is made in it.
        trained_dir: folder of an earlier comparison whose trainings are tested, instead of training.
        conditions: config ids and values under each of which the networks are tested.
        fixed: config ids and values of training, which hold whatever ``overrides`` say.
        label: what tells this plan from others of the same run, for the terminal.
    """

    bundle: Bundle
    overlays: Sequence[str]
    overrides: dict[str, Any]
    inference: dict[str, Any]
    training_cases: list[dict[str, Any]]
    test_cases: list[dict[str, Any]]
    budget: Budget
    learning_rates: Sequence[float]
    output_dir: Path
    trained_dir: Path | None = None
    conditions: Sequence[Condition] = ({},)
    fixed: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def case_names(self) -> list[str]:
        """Subject and session of the test cases, as in file names."""
        return [Case.of(case).name for case in self.test_cases]

    def training(self, network: str, settings: Mapping[str, Any] | None = None) -> Configuration:
        """Return what trains ``network``, an overlay or ``default``."""
        configuration = Configuration(self.bundle, ["train", *self.overlays, *overlay_of(network)], settings)
        configuration.override(self.overrides)
        configuration.update({**configuration.settings, **self.fixed})
        return configuration


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
        files: what was written for the first test case, relative to its folder.
        condition: config ids and values that were varied when it was tested.
    """

    network: str
    seed: int
    learning_rate: float | None
    parameters: int = 0
    steps: int = 0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    tried: dict[str, float] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    condition: Condition = field(default_factory=dict)

    @property
    def contender(self) -> str:
        """What is compared: the network, and the condition where something was varied."""
        return " ".join(filter(None, (self.network, condition_name(self.condition))))

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{short_name(self.network)}-{self.seed}"

    def first_case_files(self, output_dir: Path) -> list[Path]:
        """Return ``files`` below the folder of the comparison."""
        return [output_dir / self.name / file for file in self.files]

    @classmethod
    def read(cls, record: Path) -> Training:
        """Read what :meth:`write` wrote, or what else has the same fields."""
        content = json.loads(record.read_text(encoding="utf-8"))
        rows = [{k: math.nan if v is None else v for k, v in row.items()} for row in content["rows"]]
        known = {each.name for each in fields(cls)} & content.keys()
        return cls(**{name: content[name] for name in known} | {"rows": rows})

    def write(self, record: Path) -> None:
        """Write everything as JSON without NaN, folders included."""
        record.parent.mkdir(parents=True, exist_ok=True)
        write_json(asdict(self), record)


def short_name(network: str) -> str:
    """Return the last part of an overlay's name, or of a contender's; of a path without what a config ends with."""
    return re.sub(r"\.(yaml|yml|json)(?= |$)", "", Path(network).name)


def overlay_of(network: str) -> list[str]:
    """Return the overlay that defines a network, none for the bundle's own."""
    return [] if network == "default" else [network]
