"""Tests of the command ``prepare``."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.scripts.conftest import write_image
from tests.scripts.preparations.test_fastmri import write_ixi

Run = Callable[..., int]


def test_writes_a_bids_folder(run_command: Run, tmp_path: Path) -> None:
    write_ixi(tmp_path / "in")
    assert run_command("prepare", "ixi", "--source", tmp_path / "in", "--output", tmp_path / "out") == 0
    assert (tmp_path / "out" / "sub-IXI012" / "anat" / "sub-IXI012_T1w.nii.gz").exists()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [("other", "no such dataset"), ("fastmri", "has no official pairs"), ("ixi", "no subject with T1w, T2w")],
)
def test_bad_arguments_have_one_line(
    dataset: str, message: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("prepare", dataset, "--source", tmp_path, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--b0-direction", "0,1"), ("--b0-direction", "0,0,0"), ("--spacing", "1,0,1")]
)
def test_vectors_that_are_none_are_refused(
    option: str, value: str, run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("prepare", "qsm-labels", "--source", tmp_path, "--output", tmp_path / "out")
    assert run_command(*arguments, option, value) == 2
    assert option in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_echoes_of_label_maps_are_written_with_their_truth(run_command: Run, tmp_path: Path) -> None:
    labels = np.zeros((30, 30, 30), np.int16)
    labels[8:22, 8:22, 8:22] = 1
    for stem, values in (("dseg", labels), ("label-brain_mask", labels)):
        write_image(tmp_path / "in" / "sub-1" / f"sub-1_{stem}.nii.gz", values, np.diag([3.0, 3, 3, 1]))
    (tmp_path / "in" / "dseg.tsv").write_text("index\tname\tsusceptibility_ppm\n1\tpallidum\t0.1\n")
    arguments = ("prepare", "qsm-labels", "--source", tmp_path / "in", "--output", tmp_path / "out", "--phase")
    assert run_command(*arguments) == 0
    anat = tmp_path / "out" / "sub-1" / "anat"
    assert len(list(anat.glob("*_part-phase_MEGRE.nii.gz"))) == len(list(anat.glob("*_part-mag_MEGRE.nii.gz"))) == 5
    assert len(list((tmp_path / "out" / "derivatives").rglob("*_Chimap.nii.gz"))) == 1


def test_background_of_fields_is_given_in_ppb(run_command: Run, tmp_path: Path) -> None:
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[5:-5, 5:-5, 5:-5], labels[8:-8, 8:-8, 8:-8] = 3, 2
    (tmp_path / "labels").mkdir()
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "labels" / "sub-a_dseg.nii.gz")
    arguments = ("--source", tmp_path / "labels", "--output", tmp_path / "out", "--background", "1.5")
    assert run_command("prepare", "qsm-labels", *arguments) == 0
    sidecar = json.loads((tmp_path / "out" / "sub-a" / "anat" / "sub-a_localfield.json").read_text())
    assert sidecar["ResidualBackground"] == 1.5
