"""Tests of scripts.bids on a tiny bundle."""

import csv
import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.scripts.conftest import AFFINE, lesion_mask, write_image

Run = Callable[..., int]


@pytest.fixture
def study_folder(tiny_dataset: Path) -> Path:
    """Two participants, the second with two sessions, and a third without FLAIR."""
    (tiny_dataset / "dataset_description.json").write_text('{"Name": "tiny", "BIDSVersion": "1.10.0"}')
    first = tiny_dataset / "sub-01" / "anat"
    shutil.copytree(first, tiny_dataset / "sub-03" / "anat")
    second = tiny_dataset / "sub-02"
    for contrast in ("T1w", "T2w", "FLAIR"):
        source = first / f"sub-01_{contrast}.nii.gz"
        for session in ("ses-1", "ses-2"):
            target = second / session / "anat" / f"sub-02_{session}_{contrast}.nii.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        (second / "anat" / f"sub-02_{contrast}.nii.gz").unlink()
        moved = tiny_dataset / "sub-03" / "anat" / f"sub-01_{contrast}.nii.gz"
        moved.rename(moved.with_name(f"sub-03_{contrast}.nii.gz"))
    (second / "anat").rmdir()
    (tiny_dataset / "sub-03" / "anat" / "sub-03_FLAIR.nii.gz").unlink()
    return tiny_dataset


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_ends_with_a_table_and_what_was_left_out(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run_command("bids", study_folder, output, "participant", "--bundle", tiny_bundle) == 0
    rows = rows_of(output / "tiny.tsv")
    assert [(row["participant_id"], row["session_id"]) for row in rows] == [
        ("sub-01", "n/a"),
        ("sub-02", "ses-1"),
        ("sub-02", "ses-2"),
    ]
    assert [(row["lesion_count"], row["lesion_volume"]) for row in rows] == [("2", "0.1395")] * 3
    assert {row["mri_attention_version"] for row in rows} == {version("mri-attention")}
    assert all((output / row["result"]).is_file() and float(row["seconds"]) > 0 for row in rows)
    assert set(json.loads((output / "tiny.json").read_text())) == set(rows[0])
    told = capsys.readouterr().out
    assert "tiny.tsv" in told
    assert "sub-03 has no FLAIR image" in told.partition("Left out:")[2]


def test_runs_of_single_participants_add_up(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ("bids", study_folder, output, "participant", "--bundle", tiny_bundle, "--participant-label")
    assert run_command(*arguments, "sub-01") == 0
    assert run_command(*arguments, "sub-01") == 0  # the same again
    assert run_command(*arguments, "02", "--session-label", "1") == 0
    assert [row["participant_id"] for row in rows_of(output / "tiny.tsv")] == ["sub-01", "sub-02"]
    (output / "tiny.tsv").unlink()
    assert run_command("bids", study_folder, output, "group") == 0
    assert [row["participant_id"] for row in rows_of(output / "tiny.tsv")] == ["sub-01", "sub-02"]


def test_several_labels_follow_one_option(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ("bids", study_folder, output, "participant", "--participant-label", "01", "02", "--bundle")
    assert run_command(*arguments, tiny_bundle) == 0
    assert len(rows_of(output / "tiny.tsv")) == 3


def test_a_participant_again_replaces_its_row_alone(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ("bids", study_folder, output, "participant", "--bundle", tiny_bundle)
    assert run_command(*arguments) == 0
    flair = write_image(study_folder / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz", 1.0 + 0 * lesion_mask())
    assert flair.is_file()
    assert run_command(*arguments, "--participant-label", "01") == 2  # a result of another image
    assert [row["lesion_count"] for row in rows_of(output / "tiny.tsv")] == ["2", "2", "2"]


def test_a_warning_stands_in_the_row_of_its_case(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path
) -> None:
    file = study_folder / "sub-02" / "ses-1" / "anat" / "sub-02_ses-1_T1w.nii.gz"
    affine = AFFINE.copy()
    affine[0, 3] -= 25  # of 36 mm
    write_image(file, nib.load(file).get_fdata(dtype=np.float32), affine)
    assert run_command("bids", study_folder, tmp_path / "out", "participant", "--bundle", tiny_bundle) == 0
    warnings = [row["warnings"] for row in rows_of(tmp_path / "out" / "tiny.tsv")]
    assert "overlaps with only" in warnings[1]
    assert not any("overlaps with only" in text for text in (warnings[0], warnings[2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{bids}/absent", "{out}", "participant"), "no such folder"),
        (("{bids}", "{bids}/sub-01/..", "participant"), "is the BIDS folder itself"),
        (("{bids}/sub-01", "{out}", "participant"), "dataset_description.json"),
        (("{bids}", "{out}", "group"), "holds no results of participants"),
        (("{bids}", "{out}", "session"), "'session'"),
        (("{bids}", "{out}", "participant", "--participant-label", "07"), "sub-07: no such subject"),
        (("{bids}", "{out}", "participant", "--regions", "qsm/dseg"), "--regions qsm/dseg"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_2(
    run_command: Run,
    study_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    given = [word.format(bids=study_folder, out=tmp_path / "out") for word in arguments]
    assert run_command("bids", *given) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("Error: ") == 1
    assert not (tmp_path / "out").exists()


def test_a_table_of_somebody_else_is_told_before_the_work(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "tiny.tsv").write_text("mine\n")
    assert run_command("bids", study_folder, output, "participant", "--bundle", tiny_bundle) == 2
    assert "a table of something else" in capsys.readouterr().err
    assert [file.name for file in output.iterdir()] == ["tiny.tsv"]


def test_a_folder_without_description_is_taken_if_wanted(
    run_command: Run, tiny_bundle: Path, study_folder: Path, tmp_path: Path
) -> None:
    (study_folder / "dataset_description.json").unlink()
    arguments = ("bids", study_folder, tmp_path / "out", "participant", "--bundle", tiny_bundle)
    assert run_command(*arguments, "--skip-bids-validation") == 0


def test_version_needs_no_arguments(run_command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("bids", "--version") == 0
    assert version("mri-attention") in capsys.readouterr().out


@pytest.mark.slow
def test_simulated_patients_end_as_a_table_with_places(
    run_command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort, output = tmp_path / "cohort", tmp_path / "out"
    assert run_command("simulate", "--output", cohort, "--subjects", 3, "--spacing", 2) == 0
    (cohort / "sub-001" / "anat" / "sub-001_T2w.nii.gz").unlink()
    (cohort / "sub-003" / "anat" / "sub-003_FLAIR.nii.gz").unlink()
    anat = cohort / "sub-002" / "anat"
    for session in ("ses-1", "ses-2"):
        (cohort / "sub-002" / session / "anat").mkdir(parents=True)
        for file in anat.iterdir():
            name = file.name.replace("sub-002_", f"sub-002_{session}_")
            shutil.copy(file, cohort / "sub-002" / session / "anat" / name)
    shutil.rmtree(anat)
    assert run_command("bids", cohort, output, "participant", "--", "--windows::overlap", 0.0) == 0
    rows = rows_of(output / "ms_lesion_segmentation_fanet.tsv")
    assert [row["session_id"] for row in rows] == ["n/a", "ses-1", "ses-2"]
    places = ("periventricular", "juxtacortical", "infratentorial", "other")
    for row in rows:
        assert sum(int(row[f"{place}_count"]) for place in places) == int(row["lesion_count"]) > 0
        total = sum(float(row[f"{place}_volume"]) for place in places)
        assert total == pytest.approx(float(row["lesion_volume"]))
    assert "sub-003 has no FLAIR image" in capsys.readouterr().out.partition("Left out:")[2]
