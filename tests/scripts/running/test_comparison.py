"""Tests of scripts.running.comparison."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from mri_attention.scripts.running import comparison
from mri_attention.scripts.running.bundle import Bundle
from mri_attention.scripts.running.comparison_plan import Budget, Plan, Training


class Engine:
    """Refers to itself by way of a handler, as ignite's do."""

    def __init__(self) -> None:
        self.handler = {"engine": self}


def test_frees_what_a_training_held_before_it_is_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[Engine]] = []

    def train(plan: Plan, training: Training, progress: Any) -> Training:
        held.append(weakref.ref(Engine()))
        return training

    def test(plan: Plan, training: Training, progress: Any) -> Training:
        assert held[-1]() is None
        return training

    monkeypatch.setattr(comparison, "trained", train)
    monkeypatch.setattr(comparison, "evaluate_training", test)
    bundle = Bundle.find("ms_lesion_segmentation_fanet")
    plan = Plan(bundle, [], {}, {}, [{"subject": "a"}], [{"subject": "b"}], Budget(), [], tmp_path / "out")
    (plan.output_dir / "default-0").mkdir(parents=True)
    gc.disable()
    try:
        comparison.run_plan(plan, ["default"], 1)
    finally:
        gc.enable()
    assert len(held) == 1
