"""Tests of the command compare: equal terms, statistics against scipy, what it writes."""

import csv
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mri_attention.datasets import InputError
from mri_attention.scripts.reports.comparison_report import comparison_table, cost_table, explain
from mri_attention.scripts.reports.comparison_statistics import describe_network
from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.comparison_plan import Budget, Training
from mri_attention.simulation.cohort import simulate_dataset

Run = Callable[..., int]
BUNDLE = Bundle.find("ms_lesion_segmentation_fanet")
SMALL = ["--spacing", "[3,3,3]", "--patch", "[16,16,16]", "--steps", "2", "--subjects", "1"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate_dataset(folder, n_subjects=4, seed=2, spacing=3.0)
    return folder


def training(network: str, seed: int, values: list[float]) -> Training:
    return Training(network, seed, None, 10, 5, 1.5, [{"dice": value} for value in values])


def test_a_case_is_its_mean_over_seeds_and_pairs_are_cases() -> None:
    ours = [[0.5, 0.6, 0.9, 0.4, 0.7, 0.8], [0.7, 0.6, 0.7, 0.6, 0.9, 0.8]]
    theirs = [[0.4, 0.5, 0.9, 0.5, 0.3, 0.2], [0.4, 0.3, 0.7, 0.3, 0.5, 0.8]]
    trainings = [training("a", i, v) for i, v in enumerate(ours)] + [training("b", i, v) for i, v in enumerate(theirs)]
    described = describe_network(trainings, "a", "b")["metrics"]["dice"]
    case_means = np.mean(ours, 0)
    assert described["mean"] == pytest.approx(case_means.mean())
    assert described["sd"] == pytest.approx(case_means.std(ddof=1))
    assert described["seed_sd"] == pytest.approx(np.std(np.mean(ours, 1), ddof=1))
    assert described["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert described["p"] == pytest.approx(stats.wilcoxon(case_means, np.mean(theirs, 0)).pvalue)
    assert described["low"] < described["difference"] < described["high"]


def test_undefined_cases_are_left_out_and_equal_networks_have_no_p() -> None:
    trainings = [training("a", 0, [0.5, math.nan]), training("b", 0, [0.5, 0.7])]
    described = describe_network(trainings, "a", "b")["metrics"]["dice"]
    assert (described["n"], described["mean"], described["difference"]) == (1, 0.5, 0.0)
    assert math.isnan(described["sd"])
    assert math.isnan(described["p"])
    trainings[0].rows[0]["dice"] = math.nan
    assert math.isnan(describe_network(trainings, "a", "b")["metrics"]["dice"]["difference"])


def test_tables_name_baseline_and_costs() -> None:
    trainings = [training("networks/a", 0, [0.5, 0.7]), training("default", 0, [0.4, 0.7])]
    comparison = [describe_network(trainings, name, "default") for name in ("networks/a", "default")]
    assert [row[:2] for row in comparison_table(comparison).rows] == [["DSC", "a"], ["DSC", "default"]]
    assert comparison_table(comparison).rows[1][3] == "baseline"
    assert cost_table(comparison).texts[0] == ["a", "10", "1", "5", "2", "config"]


def test_few_cases_are_said_to_prove_little() -> None:
    assert "smallest possible p is 0.5" in explain([training("a", 0, [0.1, 0.2])], "a", 2)
    assert "smallest" not in explain([training("a", 0, [0.1] * 8)], "a", 8)


@pytest.mark.parametrize(
    ("text", "budget"),
    [("steps", Budget()), ("steps=40", Budget("steps", 40.0)), ("seconds=2.5", Budget("seconds", 2.5))],
)
def test_budgets_are_read(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["seconds", "hours=1", "steps=0", "steps=-1", "steps=x"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a budget"):
        Budget.parse(text)


def test_values_are_read_without_building_the_rest() -> None:
    assert Configuration(BUNDLE, ["train"], {"epochs": 7}).value("epochs") == 7
    assert "spacing" in Configuration(BUNDLE, ["inference"])
    with pytest.raises(InputError, match="has no 'nothing'"):
        Configuration(BUNDLE, ["train"]).value("nothing")


def test_networks_see_the_same_crops(cohort: Path, tmp_path: Path) -> None:
    seen = []
    for overlay in ("networks/unet3d", "networks/unet"):
        settings = {"dataset_dir": str(cohort), "output_dir": str(tmp_path), "spacing": [3, 3, 3], "patch": [16] * 3}
        settings |= {"steps": 2, "subjects": 1, "progress": False}
        configuration = Configuration(BUNDLE, ["train", overlay], settings)
        configuration.build()
        seen.append([batch["image"].as_tensor() for batch in configuration.value("train::dataloader")])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.slow
def test_compares_trains_searches_and_goes_on(cohort: Path, tmp_path: Path, run_command: Run) -> None:
    arguments = ["compare", BUNDLE.name, "--dataset-dir", cohort, "--networks", "default,unet3d", "--seeds", 2]
    arguments += ["--budget", "steps=8", "--learning-rates", "1e-3,1e-2", "--output-dir", tmp_path / "out"]
    assert run_command(*arguments, "--", *SMALL) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "metrics.csv").open()))
    assert {(row["network"], row["seed"]) for row in rows} == {(n, s) for n in ("default", "unet3d") for s in "01"}
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert content["networks"][0]["steps"] == [8]
    assert set(content["networks"][0]["tried"]) == {"0.001", "0.01"}
    assert "data:image/png" in (tmp_path / "out" / "report.html").read_text()
    record = tmp_path / "out" / "unet3d-1" / "training.json"
    before = record.stat().st_mtime_ns
    assert run_command(*arguments, "--", *SMALL) == 0
    assert record.stat().st_mtime_ns == before
    again = ["--networks", "default,unet3d", "--seeds", 2, "--trained-dir", tmp_path / "out"]
    again += ["--test-dataset-dir", cohort, "--output-dir", tmp_path / "again"]
    assert run_command("compare", BUNDLE.name, "--dataset-dir", cohort, *again, "--", *SMALL) == 0
    tested = json.loads((tmp_path / "again" / "unet3d-1" / "training.json").read_text())
    trained = json.loads(record.read_text())
    assert len(tested.pop("rows")) > len(trained.pop("rows"))
    assert all((tmp_path / "again" / "unet3d-1" / file).is_file() for file in tested.pop("files"))
    del trained["files"]
    assert tested == trained


def test_damaged_test_images_are_told_before_anything_is_trained(
    cohort: Path, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(cohort, tmp_path / "copy")
    (image,) = (copy / "sub-002" / "anat").glob("*_T2w.nii.gz")
    image.write_bytes(image.read_bytes()[:2000])
    arguments = ["--networks", "default,unet3d", "--output-dir", tmp_path / "out", "--test-dataset-dir", copy]
    assert run_command("compare", BUNDLE.name, "--dataset-dir", cohort, *arguments, "--", *SMALL) == 2
    assert f"Error: {image}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_trainings_that_are_not_there_cannot_be_tested(
    cohort: Path, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--networks", "default,unet3d", "--trained-dir", tmp_path, "--output-dir", tmp_path / "out"]
    assert run_command("compare", BUNDLE.name, "--dataset-dir", cohort, *arguments, "--", *SMALL) == 2
    assert "no such training" in capsys.readouterr().err


def test_networks_without_parameters_are_compared_as_they_are(cohort: Path, tmp_path: Path, run_command: Run) -> None:
    arguments = ["--networks", "bicubic,zero_filled", "--seeds", 1, "--output-dir", tmp_path]
    arguments += ["--test-dataset-dir", cohort, "--learning-rates", "1e-3,1e-2"]
    assert run_command("compare", "guided_super_resolution_sanet", "--dataset-dir", cohort, *arguments) == 0
    networks = json.loads((tmp_path / "comparison.json").read_text())["networks"]
    assert [(network["parameters"], network["steps"]) for network in networks] == [(0, [0])] * 2
    assert networks[0]["metrics"]["psnr"]["n"] == 4
    assert not (tmp_path / "bicubic-0" / "models").exists()


@pytest.mark.slow
def test_a_budget_of_time_sets_the_number_of_steps(cohort: Path, tmp_path: Path, run_command: Run) -> None:
    arguments = [
        "--networks",
        "default,unet3d",
        "--seeds",
        1,
        "--budget",
        "seconds=4",
        "--output-dir",
        tmp_path / "out",
    ]
    assert run_command("compare", BUNDLE.name, "--dataset-dir", cohort, *arguments, "--", *SMALL) == 0
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert all(network["steps"][0] >= 2 for network in content["networks"])
    assert content["budget"] == {"kind": "seconds", "amount": 4.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--networks", "default"], "nothing to compare"),
        (["--networks", "default,nothing"], "no config 'networks/nothing'"),
        (["--networks", "default,unet", "--baseline", "unet3d"], "not among --networks"),
        (["--networks", "default,unet", "--learning-rates", "fast"], "not numbers"),
        (["--networks", "default,unet", "--budget", "hours=1"], "not a budget"),
    ],
)
def test_bad_arguments_have_one_line(
    arguments: list[str], message: str, cohort: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("compare", BUNDLE.name, "--dataset-dir", cohort, *arguments) == 2
    assert message in capsys.readouterr().err
