"""Tests of scripts.running.comparison_record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle
from mri_attention.scripts.running.comparison_plan import Budget, Plan, short_name
from mri_attention.scripts.running.comparison_record import start_or_continue


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    bundle = Bundle.find("ms_lesion_segmentation_fanet")
    return Plan(bundle, [], {"epochs": 2}, {}, [{"subject": "a"}], [{"subject": "b"}], Budget(), [], tmp_path / "out")


def test_the_same_comparison_goes_on(plan: Plan) -> None:
    start_or_continue(plan)
    (plan.output_dir / "metrics.csv").touch()
    start_or_continue(plan)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"overrides": {"epochs": 3, "steps": 1}}, r"settings \(epochs, steps\)"),
        ({"test_cases": [{"subject": "c"}]}, "test cases"),
    ],
)
def test_another_one_is_refused_or_begins_anew(plan: Plan, change: dict[str, object], name: str) -> None:
    start_or_continue(plan)
    record = plan.output_dir / "unet-0" / "training.json"
    record.parent.mkdir()
    record.touch()
    other = replace(plan, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"holds a comparison with other {name}; choose another `output_dir`"):
        start_or_continue(other)
    start_or_continue(other, overwrite=True)
    assert not record.exists()
    start_or_continue(other)


def test_records_of_earlier_versions_were_of_one_condition(plan: Plan) -> None:
    start_or_continue(plan)
    record = plan.output_dir / "plan.json"
    content = json.loads(record.read_text())
    del content["conditions"]
    record.write_text(json.dumps(content))
    with pytest.raises(InputError, match="other conditions"):
        start_or_continue(replace(plan, conditions=[{"threshold": 0.3}]))
    start_or_continue(plan)


def test_what_was_only_begun_begins_anew_too(plan: Plan) -> None:
    start_or_continue(plan)
    begun = plan.output_dir / "unet-0" / "begun.json"
    begun.parent.mkdir()
    begun.touch()
    start_or_continue(plan, overwrite=True)
    assert not begun.parent.exists()


def test_results_of_something_else_are_not_replaced(plan: Plan) -> None:
    plan.output_dir.mkdir()
    (plan.output_dir / "report.html").touch()
    with pytest.raises(InputError, match=r"report.html: a result is there already"):
        start_or_continue(plan)


def test_a_record_that_cannot_be_read_is_told(plan: Plan) -> None:
    start_or_continue(plan)
    (plan.output_dir / "plan.json").write_text("{")
    with pytest.raises(InputError, match=r"plan.json: cannot be read"):
        start_or_continue(plan)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("networks/unet3d", "unet3d"),
        ("mine/voxel_gate.json", "voxel_gate"),
        ("mine/gate.yaml noise-0.1", "gate noise-0.1"),
    ],
)
def test_a_network_is_called_as_its_config_without_its_ending(network: str, name: str) -> None:
    assert short_name(network) == name
