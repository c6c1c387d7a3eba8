"""Tests of ``predict --phase``, end to end on a tiny head."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.predict import parse_numbers
from tests.scripts.conftest import run_command
from tests.transforms.gradient_echoes import SHAPE, write_echoes, write_mask

__all__ = ["run_command"]
Run = Callable[..., int]

BUNDLE = "qsm_reconstruction_fanet"
QUICK = ("--overlay", "solvers/tikhonov", "--no-viewer", "--background", "vsharp")


def options(paths: dict[str, list[str]]) -> list[str]:
    return ["--phase", *paths["phase"], "--magnitude", *paths["magnitude"]]


def test_echoes_become_a_map_with_its_stages(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, mask = write_echoes(tmp_path / "in"), write_mask(tmp_path / "mask.nii.gz")
    arguments = ("predict", BUNDLE, *options(paths), "--output-dir", tmp_path / "out", "--mask", mask, *QUICK)
    assert run_command(*arguments, "--keep-stages", "--reference-region", mask) == 0
    anat = tmp_path / "out" / "sub-1" / "anat"
    chi = nib.load(anat / "sub-1_Chimap.nii.gz").get_fdata()
    assert chi.shape == SHAPE
    assert chi[20, 15, 12] > 0.1 > -0.1 > chi[12, 17, 10]
    told = json.loads((anat / "sub-1_Chimap.json").read_text())
    assert told["BackgroundFieldRemoval"]["Method"] == "vsharp"
    assert told["SusceptibilityReference"] == "mean over mask.nii.gz within the mask is 0"
    assert len(told["Sources"]) == 6
    assert (anat / "sub-1_localfield.nii.gz").is_file()
    assert (anat / "sub-1_fieldmap.json").is_file()
    assert "sub-1: field of 3 echoes" in capsys.readouterr().err


def test_total_variation_may_jump_at_the_edges_of_the_magnitude(run_command: Run, tmp_path: Path) -> None:
    paths, mask = write_echoes(tmp_path / "in"), write_mask(tmp_path / "mask.nii.gz")
    maps = []
    for name, structure in (("without", "null"), ("with", "magnitude")):
        arguments = ("predict", BUNDLE, *options(paths), "--output-dir", tmp_path / name, "--mask", mask, "--no-viewer")
        overlay = ("--overlay", "solvers/total_variation", "--", "--structure", structure)
        assert run_command(*arguments, *overlay) == 0
        maps.append(nib.load(tmp_path / name / "sub-1" / "anat" / "sub-1_Chimap.nii.gz").get_fdata())
    assert np.abs(maps[1] - maps[0]).max() > 1e-3


def test_a_bids_folder_of_phase_is_read(run_command: Run, tmp_path: Path) -> None:
    write_echoes(tmp_path / "in", suffix="GRE")
    folders = ("--dataset-dir", tmp_path / "in", "--output-dir", tmp_path / "out")
    assert run_command("predict", BUNDLE, *folders, "--overlay", "phase", *QUICK) == 0
    names = {file.name for file in (tmp_path / "out" / "sub-1" / "anat").glob("*.nii.gz")}
    assert names == {"sub-1_Chimap.nii.gz"}


def test_maps_from_phase_are_evaluated(run_command: Run, tmp_path: Path) -> None:
    write_echoes(tmp_path / "in")
    truth = tmp_path / "in" / "derivatives" / "qsm" / "sub-1" / "anat"
    truth.mkdir(parents=True)
    write_mask(truth / "sub-1_desc-brain_mask.nii.gz")
    common = ("--dataset-dir", tmp_path / "in", "--overlay", "phase", "--overlay", "solvers/tikhonov")
    background = ("--", "--background", "vsharp")
    assert run_command("predict", BUNDLE, *common, "--output-dir", tmp_path / "out", "--no-viewer", *background) == 0
    made = nib.load(tmp_path / "out" / "sub-1" / "anat" / "sub-1_Chimap.nii.gz")
    nib.save(nib.Nifti1Image(2 * made.get_fdata(dtype=np.float32), made.affine), truth / "sub-1_Chimap.nii.gz")
    assert run_command("evaluate", BUNDLE, *common, "--output-dir", tmp_path / "evaluated", *background) == 0
    header, values = (tmp_path / "evaluated" / "metrics.csv").read_text().splitlines()[:2]
    errors = dict(zip(header.split(","), values.split(","), strict=True))
    assert float(errors["nrmse"]) == pytest.approx(50, rel=1e-3)  # of a map that is half of the truth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--phase", "{p}"], "--magnitude: is not given"),
        (["--magnitude", "{p}"], "--phase: is not given"),
        (["--phase", "{p}", "--magnitude", "{p}", "--field-unit", "hz"], "has no meaning with --phase"),
        (["--phase", "{p}", "--magnitude", "{p}", "--image", "localfield={p}"], "has no meaning with --phase"),
        (["--phase", "{p}", "--magnitude", "{p}", "--phase-range", "1"], "not 2 numbers"),
        (["--phase", "{p}", "--magnitude", "{m}", "--background", "lbv"], "must be one of single_step, vsharp, pdf"),
        (["--image", "localfield={p}", "--background", "pdf"], "--background: has no meaning"),
        (["--image", "localfield={p}", "--overlay", "phase"], "name the files as --phase and --magnitude"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: list[str], message: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_echoes(tmp_path / "in", (0.01,))
    written = [argument.format(p=files["phase"][0], m=files["magnitude"][0]) for argument in arguments]
    assert run_command("predict", BUNDLE, *written, "--output-dir", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_bundles_without_phase_refuse_it(run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = write_echoes(tmp_path / "in", (0.01,))
    arguments = ("predict", "brain_super_resolution_cftn", *options(paths), "--output-dir", tmp_path / "out")
    assert run_command(*arguments) == 2
    assert "--phase: has no meaning for brain_super_resolution_cftn" in capsys.readouterr().err


def test_numbers_are_read_from_text() -> None:
    assert parse_numbers("--echo-time", "0.02") == 0.02
    assert parse_numbers("--echo-time", "0.02,0.03") == [0.02, 0.03]
    for text in ("a", "", "1,,2"):
        with pytest.raises(InputError, match="not a number"):
            parse_numbers("--echo-time", text)
    assert np.isscalar(parse_numbers("--echo-time", "1"))
