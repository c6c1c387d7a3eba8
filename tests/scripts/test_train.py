"""Tests of scripts.train and scripts.tracking on a tiny bundle."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]


def test_trains_with_overrides_and_writes_a_checkpoint(
    run_command: Run, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments = ("--dataset-dir", tmp_path, "--output-dir", output, "--", "--max_epochs=1")
    assert run_command("train", tiny_bundle, *arguments) == 0
    assert (output / "models" / "model.pt").is_file()
    assert str(output / "models" / "model.pt") in capsys.readouterr().out


def test_tells_that_settings_of_the_shipped_weights_still_hold(
    run_command: Run, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "tiny"
    shutil.copytree(tiny_bundle, bundle)
    for name, is_told in (("untouched", False), ("calibrated", True)):
        if is_told:
            inference = bundle / "configs" / "inference.yaml"
            inference.write_text(inference.read_text() + "\ntemperature: 2.0\n")
        arguments = ("--dataset-dir", tmp_path, "--output-dir", tmp_path / name, "--", "--max_epochs=1")
        assert run_command("train", bundle, *arguments) == 0
        assert ("mri-attention calibrate" in capsys.readouterr().out) == is_told


def test_mlflow_store_keeps_curves_config_figure_and_report(
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from mlflow import MlflowClient

    from mri_attention.scripts.running.tracking import read_curves

    output = tmp_path / "out"
    arguments = (
        "--dataset-dir",
        tmp_path,
        "--output-dir",
        output,
        "--tracking",
        "mlflow",
    )
    assert run_command("train", tiny_bundle, *arguments, "--overlay", "networks/other") == 0
    assert f"mlflow ui --backend-store-uri sqlite:///{output / 'mlruns.db'}" in capsys.readouterr().out
    steps, losses = read_curves(output)["train_loss"]
    assert len(steps) == len(losses) == 4  # two epochs of two batches
    client = MlflowClient(tracking_uri=f"sqlite:///{output / 'mlruns.db'}")
    (tracked,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert tracked.info.run_name == "networks/other"
    evaluation = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "evaluation")
    assert run_command("evaluate", tiny_bundle, *evaluation, "--training-dir", output) == 0
    artifacts = {file.name for file in (output / "mlruns").rglob("*.*")}
    assert artifacts == {"config.json", "training_curves.png", "report.html", "metrics.csv", "summary.json"}


def test_reads_curves_of_tensorboard(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    from mri_attention.scripts.running.tracking import read_curves

    with SummaryWriter(str(tmp_path / "events")) as writer:
        for epoch in (1, 2, 3):
            writer.add_scalar("val_dice", epoch / 4, epoch)
        writer.add_scalar("once", 1.0, 1)
    assert read_curves(tmp_path) == {"val_dice": ([1, 2, 3], [0.25, 0.5, 0.75])}


def test_curves_of_a_training_that_went_on_are_one(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    from mri_attention.scripts.running.tracking import read_curves

    for number, steps in enumerate([(1, 2, 3), (3, 4)]):
        with SummaryWriter(str(tmp_path), filename_suffix=f".{number}") as writer:
            for step in steps:
                writer.add_scalar("loss", number, step)
    assert read_curves(tmp_path) == {"loss": ([1, 2, 3, 4], [0, 0, 1, 1])}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--overlay", "networks/none"], "no config 'networks/none'; choose among evaluate"),
        (["--dataset-dir", "nowhere"], "nowhere: no such folder or datalist"),
        (["--tracking", "notebook"], "--tracking notebook: no such kind"),
        (["--", "epochs"], "epochs: an override needs a name"),
        (["--spped"], "spped"),
    ],
    ids=["overlay", "dataset", "tracking", "override", "option"],
)
def test_bad_options_end_with_one_line_and_no_output(
    arguments: list[str],
    message: str,
    run_command: Run,
    tiny_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset = [] if "--dataset-dir" in arguments else ["--dataset-dir", tmp_path]
    assert run_command("train", tiny_bundle, *dataset, "--output-dir", tmp_path / "out", *arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_data_that_fail_leave_no_output(
    run_command: Run, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = "{'_target_': 'mri_attention.datasets.find_cases', 'dataset_dir': '@dataset_dir'}"
    arguments = ("--dataset-dir", tmp_path, "--output-dir", tmp_path / "out", "--", "--train::dataset::data", empty)
    assert run_command("train", tiny_bundle, *arguments) == 2
    assert f"Error: {tmp_path}: no subjects" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
