"""Tests of the commands on cases that lack contrasts, with a tiny bundle that does without some."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
import yaml

from mri_attention.datasets import Case
from mri_attention.scripts.running import predict
from mri_attention.scripts.running.prediction import Prediction
from tests.scripts.conftest import lesion_mask, threshold_weights

Run = Callable[..., int]
MASK = "label-lesion_mask.nii.gz"


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """The tiny bundle, which needs the FLAIR alone, and is told what is there."""
    folder = tmp_path / "hetero"
    shutil.copytree(tiny_bundle, folder)
    file = folder / "configs" / "inference.yaml"
    config = yaml.safe_load(file.read_text())
    config |= {"optional_contrasts": ["T1w", "T2w"], "leave_out": []}
    config["cases"]["optional"] = "@optional_contrasts"
    inner = config["network_def"] | {"in_channels": 6}
    config["network_def"] = {"_target_": "mri_attention.networks.nets.HeteroModalNetwork", "network": inner}
    load = config["preprocessing"]["transforms"][0]
    load |= {"optional": "@optional_contrasts", "leave_out": "@leave_out"}
    file.write_text(yaml.safe_dump(config))
    weights = threshold_weights(2.0)
    weights["weight"] = torch.cat([weights["weight"], torch.zeros(2, 3, 1, 1, 1)], 1)
    torch.save({f"network.{name}": value for name, value in weights.items()}, folder / "models" / "model.pt")
    return folder


def anat(dataset: Path, subject: str = "sub-01") -> Path:
    return dataset / subject / "anat"


def found_in(output: Path, subject: str = "sub-01") -> np.ndarray:
    return np.asarray(nib.load(anat(output, subject) / f"{subject}_{MASK}").dataobj)


@pytest.mark.parametrize("given", [("FLAIR",), ("T1w", "FLAIR"), ("FLAIR", "T2w")], ids="+".join)
def test_predict_takes_the_images_that_there_are(
    given: tuple[str, ...],
    run_command: Run,
    bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [word for name in given for word in ("--image", f"{name}={anat(tiny_dataset)}/sub-01_{name}.nii.gz")]
    assert run_command("predict", bundle, "--output-dir", tmp_path / "out", *files) == 0
    np.testing.assert_array_equal(found_in(tmp_path / "out"), lesion_mask())
    told = capsys.readouterr()
    assert told.err.count("sub-01_FLAIR.nii.gz: comes without") == 1
    assert "2 lesions, 0.14 ml" in told.out
    assert list(anat(tmp_path / "out").glob("*_viewer.html"))


def test_predict_needs_the_other_images(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = f"T1w={anat(tiny_dataset)}/sub-01_T1w.nii.gz"
    assert run_command("predict", bundle, "--output-dir", tmp_path / "out", "--image", image) == 2
    assert "no FLAIR given; add FLAIR" in capsys.readouterr().err


def test_what_is_shown_of_a_case_are_the_contrasts_it_was_made_from(
    bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    folder = anat(tiny_dataset)
    images = {name: str(folder / f"sub-01_{name}.nii.gz") for name in ("T1w", "T2w", "FLAIR")}
    seen: list[Prediction] = []
    predict(bundle, Case(image=images), tmp_path / "a", settings={"leave_out": ["T2w"]}, finish=seen.append)
    images.pop("T1w")
    predict(bundle, Case(image=images), tmp_path / "b", finish=seen.append)
    assert [prediction.contrasts for prediction in seen] == [["T1w", "FLAIR"], ["T2w", "FLAIR"]]
    assert all(len(prediction.case.image) == 2 for prediction in seen)
    told = [sum("comes without" in text for text in prediction.warnings) for prediction in seen]
    assert told == [0, 1]


def test_another_set_of_contrasts_is_another_result(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [f"{name}={anat(tiny_dataset)}/sub-01_{name}.nii.gz" for name in ("T1w", "T2w", "FLAIR")]
    same = [word for file in files[1:] for word in ("--image", file)]
    arguments = ("predict", bundle, "--output-dir", tmp_path / "out")
    assert run_command(*arguments, *same) == 0
    assert run_command(*arguments, *same) == 0
    assert run_command(*arguments, "--image", files[2]) == 2
    assert "is there already" in capsys.readouterr().err


def test_bids_takes_visits_without_optional_contrasts_and_tells(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny_dataset / "dataset_description.json").write_text('{"Name": "tiny", "BIDSVersion": "1.10.0"}')
    (anat(tiny_dataset) / "sub-01_T2w.nii.gz").unlink()
    (anat(tiny_dataset, "sub-02") / "sub-02_FLAIR.nii.gz").unlink()
    assert run_command("bids", tiny_dataset, tmp_path / "out", "participant", "--bundle", bundle) == 0
    with (tmp_path / "out" / "hetero.tsv").open(newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert (row["participant_id"], row["lesion_count"]) == ("sub-01", "2")
    told = capsys.readouterr()
    assert "comes without T2w; the result is made from T1w and FLAIR alone" in told.err
    assert "sub-02 has no FLAIR image" in told.out.partition("Left out:")[2]


def test_an_entry_of_a_datalist_may_have_fewer_images(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    entries = [
        {"image": {"FLAIR": str(anat(tiny_dataset) / "sub-01_FLAIR.nii.gz")}},
        {"image": [str(anat(tiny_dataset, "sub-02") / f"sub-02_{name}.nii.gz") for name in ("T1w", "FLAIR")]},
    ]
    (tmp_path / "list.json").write_text(json.dumps(entries))
    arguments = ("--dataset-dir", tmp_path / "list.json", "--output-dir", tmp_path / "out")
    assert run_command("predict", bundle, *arguments) == 0
    for subject in ("sub-01", "sub-02"):
        np.testing.assert_array_equal(found_in(tmp_path / "out", subject), lesion_mask())


def rows_of(output: Path) -> list[dict[str, str]]:
    with (output / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_evaluate_shows_cases_that_differ_in_their_contrasts(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    (anat(tiny_dataset) / "sub-01_T2w.nii.gz").unlink()
    output = tmp_path / "out"
    assert run_command("evaluate", bundle, "--dataset-dir", tiny_dataset, "--output-dir", output) == 0
    assert [(row["case"], row["dice"]) for row in rows_of(output)] == [("sub-01", "1"), ("sub-02", "1")]
    assert len(list(output.glob("viewers/*.html"))) == 2
    assert "2 of 2 lesions found" in (output / "report.html").read_text()


def test_evaluate_tells_what_each_set_of_contrasts_reaches(
    run_command: Run, bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--subject", "01")
    assert run_command("evaluate", bundle, *arguments, "--vary", "leave_out=[],T1w+T2w") == 0
    assert [(row["leave_out"], row["dice"]) for row in rows_of(tmp_path / "out")] == [("[]", "1"), ("T1w+T2w", "1")]
