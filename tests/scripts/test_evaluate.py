"""Tests of scripts.evaluate on a tiny bundle."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from mri_attention.simulation.cohort import simulate_dataset
from tests.scripts.conftest import CONTRASTS, lesion_mask, threshold_weights

Run = Callable[..., int]


def test_writes_metrics_summary_report_and_predictions(
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blind = tmp_path / "blind.pt"
    torch.save(threshold_weights(99.0), blind)
    output = tmp_path / "out"
    arguments = (
        "--dataset-dir",
        tiny_dataset,
        "--output-dir",
        output,
        "--baseline",
        f"networks/other={blind}",
    )
    assert run_command("evaluate", tiny_bundle, *arguments) == 0

    with (output / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {(row["network"], row["case"]): row["dice"] for row in rows}
    assert found == {
        ("Conv3d", "sub-01"): "1",
        ("Conv3d", "sub-02"): "1",
        ("other", "sub-01"): "0",
        ("other", "sub-02"): "0",
    }
    summary = json.loads((output / "summary.json").read_text())
    assert summary["networks"]["Conv3d"]["dice"]["mean"] == 1
    assert summary["networks"]["Conv3d"]["dice"]["n"] == 2
    assert summary["provenance"]["bundle_version"] == "0.0.1"
    mask = nib.load(output / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), lesion_mask())
    baseline = output / "baselines" / "other" / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz"
    assert not np.asarray(nib.load(baseline).dataobj).any()
    report = (output / "report.html").read_text()
    assert "2 of 2 lesions found" in report
    assert 'src="data:image/png;base64,' in report
    assert "http" not in report
    assert '<a href="viewers/1_sub-01_viewer.html">1: sub-01</a>' in report
    viewer = (output / "viewers" / "1_sub-01_viewer.html").read_text(encoding="utf-8")
    assert all(f'"name": "{name}"' in viewer for name in (*CONTRASTS, "Conv3d", "truth", "other"))
    assert "Conv3d" in capsys.readouterr().out


def test_keeps_no_pages_without_predictions(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--no-keep")
    assert run_command("evaluate", tiny_bundle, *arguments) == 0
    assert "viewers" not in (tmp_path / "out" / "report.html").read_text()
    assert list((tmp_path / "out").rglob("*_viewer.html")) == []


def test_takes_only_the_subjects_asked_for(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", output, "--subject", "02")
    assert run_command("evaluate", tiny_bundle, *arguments) == 0
    assert [p.name for p in output.glob("sub-*")] == ["sub-02"]


def test_masks_and_accelerations_vary_together(run_command: Run, tmp_path: Path) -> None:
    simulate_dataset(tmp_path / "data", n_subjects=2, seed=1, spacing=6.0)
    output, networks = (
        tmp_path / "out",
        ["--overlay", "networks/zero_filled", "--baseline", "networks/compressed_sensing"],
    )
    options = ["--vary", "mask,acceleration=random:3,radial:4", "--no-keep", "--output-dir", output, *networks]
    options += ["--", "--device", "cpu"]
    assert run_command("evaluate", "guided_reconstruction_manet", "--dataset-dir", tmp_path / "data", *options) == 0
    pictures = {f"mask-{mask}.png" for mask in ("random_acceleration-3", "radial_acceleration-4")}
    assert {path.name for path in output.iterdir()} == {"metrics.csv", "summary.json", "report.html", *pictures}
    rows = list(csv.DictReader((output / "metrics.csv").open()))
    assert len(rows) == 2 * 2 * 2
    values = [float(r["psnr"]) for r in rows if (r["mask"], r["network"]) == ("random", "compressed_sensing")]
    summary = json.loads((output / "summary.json").read_text())
    assert summary["provenance"]["settings"] == {"device": "cpu"}
    condition = summary["conditions"][0]
    assert condition["settings"] == {"mask": "random", "acceleration": 3}
    assert condition["networks"]["compressed_sensing"]["psnr"]["mean"] == pytest.approx(sum(values) / 2, rel=1e-4)
    report = (output / "report.html").read_text()
    assert "mask radial, acceleration 4: sub-001. PSNR (dB)" in report


def test_masks_of_lesions_under_each_condition_are_drawn(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ["--dataset-dir", tiny_dataset, "--output-dir", output, "--vary", "allow_nan=True,False"]
    assert run_command("evaluate", tiny_bundle, *arguments) == 0
    for condition in ("allow_nan-True", "allow_nan-False"):
        assert (output / f"{condition}.png").is_file()
        assert (output / condition / "sub-02" / "anat" / "sub-02_label-lesion_mask.nii.gz").is_file()


def test_what_was_measured_before_a_failure_is_told(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tiny_dataset / "sub-02" / "anat" / "sub-02_FLAIR.nii.gz"
    image = nib.load(file)
    voxels = image.get_fdata()
    voxels[0, 0, 0] = np.nan
    nib.save(nib.Nifti1Image(voxels, image.affine), file)
    output = tmp_path / "out"
    arguments = ["--dataset-dir", tiny_dataset, "--output-dir", output, "--vary", "allow_nan=True,False"]
    assert run_command("evaluate", tiny_bundle, *arguments) == 2
    told = capsys.readouterr().err
    assert "Conv3d allow_nan-True: dice 1, " in told
    assert "(means, cases: 2)" in told
    assert "Conv3d allow_nan-False: dice" not in told
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vary", "mask"], "mask: '' is not a value for each of mask"),
        (["--vary", "scale=2,3"], "`scale`: has no meaning for tiny"),
        (["--model", "nowhere.pt"], "nowhere.pt: no such file of weights"),
        (
            ["--overlay", "nonsense"],
            "no config 'nonsense'; choose among evaluate, inference, networks/other, train",
        ),
        (["--baseline", "nonsense"], "no config 'nonsense'"),
        (["--baseline", "networks/other", "--baseline", "networks/other"], "--baseline: the same name given twice"),
        (["--subject", "77"], "sub-77: no such subject"),
        (["--", "--model_file", "nowhere.pt"], "nowhere.pt: no weights of Conv3d"),
        (["--", "oops"], "oops: an override needs a name"),
    ],
    ids=["vary", "varied id", "model", "overlay", "baseline", "baselines", "subject", "weights", "override"],
)
def test_bad_options_end_with_one_line_and_no_output(
    arguments: list[str],
    message: str,
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    assert run_command("evaluate", tiny_bundle, "--dataset-dir", tiny_dataset, "--output-dir", output, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_missing_dataset_ends_with_one_line(
    run_command: Run, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("evaluate", tiny_bundle, "--dataset-dir", tmp_path / "none") == 2
    assert capsys.readouterr().err.startswith(f"Error: {tmp_path / 'none'}: no such folder")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not weights", "cannot be read as weights"),
        ({"other": torch.zeros(1)}, "not weights of this Conv3d"),
    ],
    ids=["no checkpoint", "another network"],
)
def test_weights_that_do_not_fit_are_refused(
    content: object,
    message: str,
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / "model.pt"
    if isinstance(content, bytes):
        model.write_bytes(content)
    else:
        torch.save(content, model)
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--model", model)
    assert run_command("evaluate", tiny_bundle, *arguments) == 2
    assert f"{model}: {message}" in capsys.readouterr().err


def test_baseline_has_weights_of_its_own(
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (
        "--dataset-dir",
        tiny_dataset,
        "--output-dir",
        tmp_path / "out",
        "--baseline",
        "networks/other",
    )
    assert run_command("evaluate", tiny_bundle, *arguments) == 2
    assert f"{tiny_bundle / 'models' / 'other.pt'}: no weights of Conv3d" in capsys.readouterr().err


def test_an_evaluation_is_replaced_only_where_that_is_wanted(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("evaluate", tiny_bundle, "--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out")
    assert run_command(*arguments, "--subject", "01") == 0
    before = (tmp_path / "out" / "metrics.csv").read_text()
    assert run_command(*arguments) == 2
    assert "report.html: a result is there already; give --overwrite" in capsys.readouterr().err
    assert (tmp_path / "out" / "metrics.csv").read_text() == before
    assert run_command(*arguments, "--overwrite") == 0
    assert "sub-02" in (tmp_path / "out" / "metrics.csv").read_text()
