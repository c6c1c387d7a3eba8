"""Names of files, folders and cases that mean something to MONAI's configs, in each command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts.conftest import CONTRASTS

Run = Callable[..., int]

ODD = ["Study #7 @home $x %y", "a::b", "$__import__('os').mkdir('ran')", "@device", "%contrasts", "it's \u00e4\u4e2d"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder in which expressions would leave a trace."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def images(folder: Path) -> list[str]:
    arguments = []
    for contrast in CONTRASTS:
        file = folder / "sub-01" / "anat" / f"sub-01_{contrast}.nii.gz"
        arguments += ["--image", f"{contrast}={file}"]
    return arguments


@pytest.mark.parametrize("name", ODD)
def test_everything_may_lie_in_an_odd_folder(
    name: str, run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    root = tmp_path / name
    shutil.copytree(tiny_bundle, root / "tiny")
    shutil.copytree(tiny_dataset, root / "data")
    model = shutil.copy(tiny_bundle / "models" / "model.pt", root / "own.pt")
    tiny, data = root / "tiny", ("--dataset-dir", root / "data")
    assert run_command("predict", tiny, *images(root / "data"), "--output-dir", root / "p", "--model", model) == 0
    assert run_command("evaluate", tiny, *data, "--output-dir", root / "e", "--subject", "sub-01") == 0
    assert run_command("train", tiny, *data, "--output-dir", root / "t") == 0
    assert list((root / "p").rglob("*_label-lesion_mask.nii.gz"))
    assert (root / "e" / "report.html").is_file()
    assert (root / "t" / "models" / "model.pt").is_file()
    assert not list(Path().iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"here", "dataset", name}


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_text_of_a_datalist_is_not_run(
    command: str, run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    entries, truth = [], tiny_dataset / "derivatives/truth/sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    for number, name in enumerate(ODD[2:5]):
        (tiny_dataset / name).mkdir()
        files = [f"{name}/sub-{number}_{contrast}.nii.gz" for contrast in CONTRASTS]
        for contrast, file in zip(CONTRASTS, files, strict=True):
            shutil.copy(tiny_dataset / "sub-01" / "anat" / f"sub-01_{contrast}.nii.gz", tiny_dataset / file)
        entries.append({"subject": name, "session": "", "image": files, "label": str(truth)})
    (tiny_dataset / "list.json").write_text(json.dumps(entries))
    arguments = ("--dataset-dir", tiny_dataset / "list.json", "--output-dir", tmp_path / "out")
    assert run_command(command, tiny_bundle, *arguments) == 0
    assert len(list((tmp_path / "out").rglob("*lesion_mask.nii.gz"))) == 3
    assert not list(Path().iterdir())


def test_a_mask_that_has_no_step_is_refused(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "unmasked"
    shutil.copytree(tiny_bundle, bundle)
    config = bundle / "configs" / "inference.yaml"
    config.write_text(
        config.read_text().replace("  - {_target_: mri_attention.transforms.ApplyBrainMaskd, keys: image}\n", "")
    )
    mask = tiny_dataset / "derivatives/truth/sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    arguments = (*images(tiny_dataset), "--output-dir", tmp_path / "out", "--mask", mask)
    assert run_command("predict", tiny_bundle, *arguments) == 0
    shutil.rmtree(tmp_path / "out")
    assert run_command("predict", bundle, *arguments) == 2
    assert "a brain mask has no meaning for unmasked" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_misspelled_override_is_refused(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, name, meant in (
        ("predict", "inferer::overlapp", None),
        ("evaluate", "alow_nan", "allow_nan"),
        ("train", "max_epoch", "max_epochs"),
    ):
        arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out", "--", f"--{name}", "1")
        assert run_command(command, tiny_bundle, *arguments) == 2
        told = capsys.readouterr().err
        assert f"{name}: no such id; " in told
        assert meant is None or f"did you mean {meant}" in told
        assert not (tmp_path / "out").exists()
