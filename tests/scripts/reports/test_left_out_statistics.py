"""Tests of scripts.reports.left_out_statistics: each patient counts once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mri_attention.scripts.reports.left_out_statistics import describe_left_out, over_patients, patient_table
from mri_attention.scripts.running.comparison_plan import Training

DICE = {  # by network, patient, seed and visit
    "default": {"sub-1": [[0.5, 0.7], [0.6, 0.8]], "sub-2": [[0.2], [0.4]], "sub-3": [[0.9], [0.9]]},
    "networks/unet": {"sub-1": [[0.4, 0.4], [0.5, 0.5]], "sub-2": [[0.3], [0.35]], "sub-3": [[0.6], [0.8]]},
}


def trained(network: str, patient: str, seed: int) -> Training:
    rows = [{"dice": value, "true_count": 4.0} for value in DICE[network][patient][seed]]
    seconds = 10.0 * int(patient[-1])
    return Training(network, seed, None, 10, 20 + int(patient[-1]), seconds, rows, files=["a.nii.gz"])


@pytest.fixture
def pooled() -> list[Training]:
    patients = DICE["default"]
    return over_patients({p: [trained(n, p, seed) for seed in (0, 1) for n in DICE] for p in patients})


def test_visits_become_one_row_of_their_patient(pooled: list[Training]) -> None:
    assert [(t.network, t.seed) for t in pooled] == [(n, s) for s in (0, 1) for n in DICE]
    assert [row["dice"] for row in pooled[0].rows] == pytest.approx([0.6, 0.2, 0.9])
    assert (pooled[0].steps, pooled[0].seconds) == (22, 20.0)


def test_visits_without_a_value_are_left_out_of_the_mean() -> None:
    rows = [{"dice": math.nan}, {"dice": 0.5}]
    (pooled,) = over_patients({"sub-1": [Training("default", 0, None, rows=rows)]})
    assert pooled.rows == [{"dice": 0.5}]


def test_patients_are_the_units(pooled: list[Training]) -> None:
    ours, theirs = describe_left_out(pooled, list(DICE["default"]), "networks/unet")
    patients, others = np.array([0.65, 0.3, 0.9]), np.array([0.45, 0.325, 0.7])
    dice = ours["metrics"]["dice"]
    assert [row["dice"] for row in ours["patients"].values()] == pytest.approx(patients.tolist())
    assert dice["mean"] == pytest.approx(patients.mean())
    assert dice["sd"] == pytest.approx(patients.std(ddof=1))
    assert dice["seed_sd"] == pytest.approx(np.std([np.mean([0.6, 0.2, 0.9]), np.mean([0.7, 0.4, 0.9])], ddof=1))
    assert dice["difference"] == pytest.approx((patients - others).mean())
    assert dice["p"] == pytest.approx(stats.wilcoxon(patients - others).pvalue)
    assert "difference" not in theirs["metrics"]["dice"]


def test_the_table_has_a_row_for_each_patient_and_spreads_below(pooled: list[Training]) -> None:
    ours, theirs = describe_left_out(pooled, list(DICE["default"]), "networks/unet")
    table = patient_table(ours, "unet", pooled)
    rows = {row[0]: row[1:] for row in table.rows}
    assert table.header == ["left out", "DSC", "true lesions"]
    assert list(rows)[:8] == [*DICE["default"], "mean", "sd over patients", "smallest", "largest", "sd over seeds"]
    assert rows["sub-1"] == ["0.650", "4"]
    assert rows["mean"] == ["0.617", ""]
    assert (rows["smallest"][0], rows["largest"][0]) == ("0.300", "0.900")
    assert rows["difference from unet"][0] == "+0.125"
    assert "difference from unet" not in {row[0] for row in patient_table(theirs, "unet", pooled).rows}


def test_a_metric_that_no_patient_defines_is_undefined() -> None:
    pooled = over_patients({"sub-1": [Training("default", 0, None, rows=[{"dice": math.nan}])]})
    (entry,) = describe_left_out(pooled, ["sub-1"], "default")
    assert all(row[1] == "undefined" for row in patient_table(entry, "default", pooled).rows)
