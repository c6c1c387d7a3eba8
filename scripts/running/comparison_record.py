"""What a comparison is of, written beside its trainings, so that another one is not mixed with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...datasets import InputError
from .comparison_plan import RECORD as TRAINING
from .comparison_plan import Plan
from .comparison_training import BEGUN
from .outputs import require_new
from .records import without_nan, write_json

RECORD = "plan.json"
EARLIER = {"conditions": [{}], "patients left out": "", "fixed settings of training": {}}
"""What records of earlier versions do not tell."""

RESULTS = ("metrics.csv", "comparison.json", "comparison.md", "report.html")


def start_or_continue(plan: Plan, overwrite: bool = False) -> None:
    """Make the output folder of ``plan``, or check that the comparison in it is of the same data, settings and budget.

    Args:
        plan: what is to be compared.
        overwrite: begin anew where there is a comparison.

    Raises:
        InputError: if another comparison is there, or results of something else.
    """
    record, content = plan.output_dir / RECORD, _content(plan)
    trainings = {file.parent for name in (TRAINING, BEGUN) for file in plan.output_dir.glob(f"*/{name}")}
    if not record.is_file() and not trainings:
        require_new((plan.output_dir / name for name in RESULTS), overwrite)
    if overwrite:
        for folder in trainings:
            shutil.rmtree(folder)
    elif record.is_file() and (
        changed := [_told(name, value, content) for name, value in _read(record).items() if content.get(name) != value]
    ):
        problem = f"holds a comparison with other {', '.join(changed)}"
        raise InputError.at(plan.output_dir, problem, "choose another `output_dir`, or set `overwrite` to true")
    plan.output_dir.mkdir(parents=True, exist_ok=True)
    write_json(content, record)


def _read(record: Path) -> dict[str, Any]:
    try:
        return EARLIER | dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError.at(record, f"cannot be read ({error})", "choose another `output_dir`") from error


def _told(name: str, value: Any, content: Mapping[str, Any]) -> str:
    """Return what is another one now, with the names of the settings that are."""
    now = content.get(name)
    if not (isinstance(value, dict) and isinstance(now, dict)):
        return name
    return f"{name} ({', '.join(sorted(key for key in value | now if value.get(key) != now.get(key)))})"


def _content(plan: Plan) -> dict[str, Any]:
    """Return what must be the same for all trainings, as JSON has it; networks and seeds may be added."""
    content = {
        "bundle": plan.bundle.name,
        "overlays": list(plan.overlays),
        "settings": plan.overrides,
        "training cases": plan.training_cases,
        "test cases": plan.test_cases,
        "budget": f"{plan.budget.kind}={plan.budget.amount}",
        "learning rates": list(plan.learning_rates),
        "trained_dir": None if plan.trained_dir is None else str(plan.trained_dir),
        "conditions": list(plan.conditions),
        "patients left out": plan.label,
        "fixed settings of training": plan.fixed,
    }
    return dict(json.loads(json.dumps(without_nan(content), default=str)))
