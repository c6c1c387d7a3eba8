"""Tests of scripts.cli and scripts.console."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.networks.blocks.attention import build_attention
from mri_attention.scripts.terminal.console import explain

Run = Callable[..., int]


def raised_from(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (InputError("a.nii: bad; mend it"), "a.nii: bad; mend it", 2),
        (
            raised_from(RuntimeError("applying transform"), InputError("a.nii: bad; mend it")),
            "a.nii: bad; mend it",
            2,
        ),
        (
            RuntimeError("Caught in DataLoader worker:\nx.input_error.InputError: a.nii: bad; mend it\n\nThe above"),
            "a.nii: bad; mend it",
            2,
        ),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied", 2),
        (KeyError("x"), "KeyError: 'x': set MRI_ATTENTION_DEBUG=1 for the traceback", 1),
    ],
    ids=["input", "cause", "worker", "file", "defect"],
)
def test_explains_errors_in_one_line(error: Exception, message: str, code: int) -> None:
    assert explain(error) == (message, code)


def test_a_setting_that_the_library_refuses_is_bad_input_and_a_failure_of_another_library_is_not() -> None:
    with pytest.raises(ValueError, match="unknown attention") as refused:
        build_attention("nonsense", 4, 3)
    message, code = explain(raised_from(RuntimeError("Failed to instantiate"), refused.value))
    assert message.startswith("unknown attention 'nonsense', known are: ")
    assert code == 2
    with pytest.raises(ValueError, match="padding_mode") as failed:
        torch.nn.Conv3d(1, 1, 1, padding_mode="nonsense")
    assert explain(failed.value)[1] == 1


def test_shows_traceback_only_when_debugging(
    run_command: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("train", "nonsense", "--dataset-dir", ".") == 2
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("MRI_ATTENTION_DEBUG", "1")
    assert run_command("train", "nonsense", "--dataset-dir", ".") == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], [], ["predict", "--help"]])
def test_help_ends_well(arguments: list[str], run_command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(*arguments) == 0
    assert "Usage: mri-attention" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["evaluate"], ["simulate", "--subjects", "none"]])
def test_usage_errors_have_one_line(arguments: list[str], run_command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(*arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: ")
    assert len(told.splitlines()) == 1


def test_help_does_not_wait_for_torch_or_monai() -> None:
    code = "import sys, mri_attention.scripts.cli; print({'torch', 'monai', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_simulate_refuses_a_folder_that_holds_something(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").touch()
    assert run_command("simulate", "--output", tmp_path) == 2
    assert f"{tmp_path}: not an empty folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("thickness", ["nan", "inf", "0.5", "-3"])
def test_simulate_refuses_slices_of_no_thickness(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], thickness: str
) -> None:
    assert run_command("simulate", "--output", tmp_path / "new", "--slice-thickness", thickness) == 2
    assert f"--slice-thickness {thickness}: not from the spacing of 1 to 20 mm" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_simulate_plants_masks_in_real_heads(run_command: Run, tmp_path: Path) -> None:
    assert run_command("simulate", "--output", tmp_path / "heads", "--subjects", 2, "--spacing", 4) == 0
    arguments = ["--heads", tmp_path / "heads", "--head", "sub-002", "--subjects", 2]
    masks = ["--lesion-masks", tmp_path / "heads" / "derivatives"]
    assert run_command("simulate", "--output", tmp_path / "new", *arguments, *masks) == 0
    assert sorted(p.name for p in (tmp_path / "new").glob("sub-*")) == ["sub-002x001", "sub-002x002"]


def test_simulate_names_the_effects_for_one_that_there_is_not(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("simulate", "--output", tmp_path / "new", "--without", "plexus") == 2
    told = capsys.readouterr().err
    assert "--without plexus: is no effect; choose from" in told
    assert "choroid_plexus" in told
    assert not (tmp_path / "new").exists()


def test_simulate_refuses_what_contradicts_itself(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--misaligned", "--without", "misalignment"]
    assert run_command("simulate", "--output", tmp_path / "new", *options) == 2
    assert "--misaligned: does not go with --without misalignment" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--misaligned"], ["--without", "ghosts"]])
def test_simulate_has_no_effects_for_real_heads(
    option: list[str], run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = ["--heads", tmp_path, "--lesion-masks", tmp_path]
    assert run_command("simulate", "--output", tmp_path / "new", *real, *option) == 2
    assert f"{option[0]}: changes simulated heads" in capsys.readouterr().err


def test_simulate_wants_masks_with_heads(run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("simulate", "--output", tmp_path / "new", "--heads", tmp_path) == 2
    assert "--lesion-masks" in capsys.readouterr().err
