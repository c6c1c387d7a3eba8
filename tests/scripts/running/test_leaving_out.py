"""Tests of scripts.running.leaving_out: who is trained on, and that folders are kept apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle
from mri_attention.scripts.running.comparison_plan import Budget, Plan
from mri_attention.scripts.running.comparison_record import start_or_continue
from mri_attention.scripts.running.leaving_out import leave_one_out, start_or_continue_left_out

BUNDLE = Bundle.find("ms_lesion_segmentation_fanet")


def case(subject: str, session: str = "", folder: str = "data") -> dict[str, Any]:
    return {"subject": subject, "session": session, "image": [f"/{folder}/{subject}/{session}_FLAIR.nii.gz"]}


CASES = [case("sub-1", "ses-1"), case("sub-2"), case("sub-1", "ses-2"), case("sub-3")]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(BUNDLE, [], {}, {}, CASES, CASES, Budget(), [], tmp_path / "out")


def subjects(cases: list[dict[str, Any]]) -> list[str]:
    return [each["subject"] for each in cases]


def test_all_visits_of_a_patient_are_left_out_together(plan: Plan) -> None:
    folds = leave_one_out(plan)
    assert list(folds) == ["sub-1", "sub-2", "sub-3"]
    assert folds["sub-1"].test_cases == [CASES[0], CASES[2]]
    assert subjects(folds["sub-1"].training_cases) == ["sub-2", "sub-3"]
    assert folds["sub-1"].output_dir == plan.output_dir / "left-out-sub-1"


def test_all_others_are_trained_on_and_none_validates(plan: Plan) -> None:
    fold = leave_one_out(plan)["sub-2"]
    training = fold.training("default", {"cases": fold.training_cases})
    assert [subjects(part) for part in training.value("parts")] == [["sub-1", "sub-1", "sub-3"], []]
    assert training.value("train::sampler").weights.tolist() == pytest.approx([1 / 3] * 3)


def test_what_was_made_from_the_patient_is_dropped_and_told(plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    extra = [case("sub-1x001", folder="heads"), case("sub-9", folder="heads"), case("x", folder="data/sub-2")]
    extra += [case("sub-2x002", folder="heads"), case("sub-10", folder="heads")]
    given = {"extra_cases": extra, "extra_weights": [0.5, 0.5, 0.25, 0.25, 0.25]}
    folds = leave_one_out(replace(plan, overrides=given, training_cases=[*CASES, case("sub-2x001")]))
    found = {name: fold.training("default", {"cases": fold.training_cases}) for name, fold in folds.items()}
    assert subjects(found["sub-1"].value("extra_cases")) == ["sub-9", "x", "sub-2x002", "sub-10"]
    assert found["sub-1"].value("extra_weights") == [1.0, 0.25, 0.25, 0.25]
    assert subjects(found["sub-2"].value("extra_cases")) == ["sub-1x001", "sub-9", "sub-10"]
    assert found["sub-2"].value("extra_weights") == [0.5, 0.5, 0.75]
    assert subjects(folds["sub-2"].training_cases) == ["sub-1", "sub-1", "sub-3"]
    assert found["sub-3"].value("extra_cases") == extra
    assert list(folds) == ["sub-1", "sub-2", "sub-3"]
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" further")[0] for line in lines] == ["sub-1 left out: 1", "sub-2 left out: 3"]


def test_weights_that_may_have_seen_the_patients_are_told(plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    leave_one_out(replace(plan, overrides={"start_from": "model.pt"}))
    assert "model.pt: trainings start from these weights, which must not have been trained on" in caplog.text


def test_one_patient_alone_is_refused_unless_networks_are_trained(plan: Plan) -> None:
    alone = replace(plan, training_cases=[CASES[0], CASES[2]])
    with pytest.raises(InputError, match="sub-1 is the only patient, which leaves nobody to train on"):
        leave_one_out(alone)
    (fold,) = leave_one_out(replace(alone, trained_dir=Path("before"))).values()
    assert fold.trained_dir == Path("before/left-out-sub-1")


def test_the_same_patients_go_on_and_others_do_not(plan: Plan) -> None:
    start_or_continue_left_out(plan, leave_one_out(plan))
    start_or_continue_left_out(plan, leave_one_out(plan))
    fewer = replace(plan, training_cases=CASES[:3])
    with pytest.raises(InputError, match="holds a comparison with other training cases"):
        start_or_continue_left_out(fewer, leave_one_out(fewer))
    start_or_continue_left_out(fewer, leave_one_out(fewer), overwrite=True)
    assert sorted(folder.name for folder in plan.output_dir.iterdir() if folder.is_dir()) == [
        "left-out-sub-1",
        "left-out-sub-2",
    ]


def test_a_comparison_on_the_same_cases_is_another_one(plan: Plan) -> None:
    start_or_continue_left_out(plan, leave_one_out(plan))
    with pytest.raises(InputError, match="holds a comparison with other patients left out"):
        start_or_continue(plan)
