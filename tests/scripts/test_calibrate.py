"""Tests of the command calibrate, on what a comparison of left-out patients leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.left_out import read_left_out
from mri_attention.scripts.running.left_out_files import temperature_of
from mri_attention.transforms import LoadContrastsd
from tests.scripts.conftest import write_image
from tests.scripts.left_out_heads import BUNDLE, SCALE, VISITS, images_of, write_comparison, write_evaluation

Run = Callable[..., int]


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    return write_comparison(tmp_path)


def configuration() -> Configuration:
    return Configuration(Bundle.find(BUNDLE), ["inference", "evaluate"])


def made_with() -> float:
    """Return the temperature of the bundle, with which maps are made."""
    return float(configuration().value("temperature"))


def test_it_writes_what_was_chosen_and_what_it_brings(
    comparison: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("calibrate", BUNDLE, comparison) == 0
    told, warned = capsys.readouterr()
    assert "FLAIR.nii.gz: no such image, so that growing lesions is not tried" in warned
    folder = comparison / "calibration"
    assert str(folder / "calibrated.yaml") in told
    assert (folder / "reliability.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((folder / "calibration.json").read_text())
    assert [each["patient"] for each in content["patients"]] == sorted({subject for subject, _ in VISITS})
    assert len(content["patients"][-1]["maps"]) == 4
    assert "| nobody: to ship |" in (folder / "calibration.md").read_text()
    overlay = yaml.safe_load((folder / "calibrated.yaml").read_text())
    assert overlay["temperature"] == pytest.approx(SCALE * made_with(), rel=0.05)
    assert set(overlay) >= {"threshold", "smallest_lesion", "volume_interval"}
    assert overlay["grow"] is False
    assert run_command("calibrate", BUNDLE, comparison) == 2
    assert "a result is there already" in capsys.readouterr().err


def test_the_overlay_is_one_of_the_bundle_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calibrated.yaml").write_text("temperature: 1.5\nvolume_interval: [0.1, 0.8]\n")
    monkeypatch.chdir(tmp_path)
    for name in ("calibrated.yaml", str(tmp_path / "calibrated.yaml")):
        found = Configuration(Bundle.find(BUNDLE), ["inference", name])
        assert (found.value("temperature"), found.value("volume_interval")) == (1.5, [0.1, 0.8])


def test_the_temperature_is_on_top_of_that_of_the_maps(comparison: Path, run_command: Run) -> None:
    assert run_command("calibrate", BUNDLE, comparison, "--made-with", 1.5) == 0
    overlay = yaml.safe_load((comparison / "calibration" / "calibrated.yaml").read_text())
    assert overlay["temperature"] == pytest.approx(1.5 * SCALE, rel=0.05)


def test_the_comparison_tells_its_temperature(comparison: Path) -> None:
    assert temperature_of(comparison, Bundle.find(BUNDLE)) == configuration().value("temperature")
    for record in comparison.glob("*/plan.json"):
        record.write_text(json.dumps(json.loads(record.read_text()) | {"settings": {"temperature": 2.5}}))
    assert temperature_of(comparison, Bundle.find(BUNDLE)) == 2.5


def test_maps_are_read_with_patient_visit_and_seed(comparison: Path) -> None:
    maps = read_left_out(comparison, configuration())
    assert len(maps) == 2 * len(VISITS)
    assert [(each.patient, each.visit, each.network) for each in maps[-2:]] == [
        ("sub-03", "sub-03_ses-2", "default-0"),
        ("sub-03", "sub-03_ses-2", "default-1"),
    ]
    probability, truth, mask = images_of(len(VISITS) - 1)
    assert maps[-1].true_volume == truth.sum()
    assert maps[-1].mask(0.5, 1.0).sum() == mask.sum()
    assert maps[-1].written.predicted_volumes.sum() == mask.sum()
    assert len(maps[-1].doubtful[0]) == np.count_nonzero(probability > 1e-4)


def test_what_lesions_grow_into_is_read_where_it_is_there(tmp_path: Path) -> None:
    evaluated = write_evaluation(tmp_path)
    for each in read_left_out(evaluated, configuration()):
        assert each.surroundings is not None
        assert each.surroundings.flair.shape == each.shape
        assert each.surroundings.spacing == (1.0, 1.0, 1.0)
        assert each.surroundings.flair.flat[each.places] == pytest.approx(each.probability)  # what was written as FLAIR
        mask = each.mask(0.8, 1.0)
        assert each.grown(mask).sum() > mask.sum()


def test_true_masks_may_have_moved(comparison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = Path(shutil.move(tmp_path / "data", tmp_path / "moved"))
    with pytest.raises(InputError, match="no such true mask; give the dataset that they were tested on"):
        read_left_out(comparison, configuration())
    for label in moved.rglob("*_label-lesion_mask.nii.gz"):
        anat = moved.joinpath(*label.relative_to(moved / "derivatives" / "truth").parts).parent
        for contrast in configuration().value("contrasts"):
            write_image(anat / label.name.replace("label-lesion_mask", contrast), images_of(0)[0], np.eye(4))
    load, heads = LoadContrastsd.load, []
    monkeypatch.setattr(LoadContrastsd, "load", lambda *args: heads.append(args) or load(*args))
    found = read_left_out(comparison, configuration(), dataset_dir=moved)
    assert len(found) == 2 * len(VISITS)
    assert len(heads) == len(VISITS)  # once for both networks
    assert all(each.surroundings is not None for each in found)


def test_weights_that_have_seen_no_patient_are_calibrated_on_all(
    tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated = write_evaluation(tmp_path)
    maps = read_left_out(evaluated, configuration())
    assert [(each.patient, each.visit, each.network) for each in maps] == [
        (subject, "_".join(filter(None, (subject, session))), "evaluated") for subject, session in VISITS
    ]
    assert run_command("calibrate", BUNDLE, evaluated) == 0
    assert "That the weights have seen none of these patients is not checked" in capsys.readouterr().out
    content = yaml.safe_load((evaluated / "calibration" / "calibrated.yaml").read_text())
    assert content["temperature"] == pytest.approx(SCALE * made_with(), rel=0.05)


def test_maps_of_an_evaluation_have_the_temperature_of_its_overlays(tmp_path: Path) -> None:
    evaluated = write_evaluation(tmp_path)
    record = evaluated / "summary.json"
    (tmp_path / "warm.yaml").write_text("temperature: 1.5\n")
    content = json.loads(record.read_text())
    assert temperature_of(evaluated, Bundle.find(BUNDLE)) == made_with()
    content["provenance"]["configs"].append(str(tmp_path / "warm.yaml"))
    record.write_text(json.dumps(content))
    assert temperature_of(evaluated, Bundle.find(BUNDLE)) == 1.5
    content["provenance"]["settings"] = {"temperature": 3}
    record.write_text(json.dumps(content))
    assert temperature_of(evaluated, Bundle.find(BUNDLE)) == 3


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "summary.json").write_text("{}"), "summary.json: cannot be read ('provenance')"),
        (lambda folder: shutil.rmtree(folder.parent / "data"), "data: is not there any more; give the dataset that"),
        (lambda folder: shutil.rmtree(folder.parent / "data" / "derivatives"), "data: no label-lesion_mask for sub-01"),
        (
            lambda folder: [path.unlink() for path in folder.rglob("*_probseg.nii.gz")],
            "holds the results of 0 left-out",
        ),
    ],
)
def test_an_evaluation_that_cannot_be_used_has_one_line(
    harm: Callable[[Path], object],
    message: str,
    tmp_path: Path,
    run_command: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluated = write_evaluation(tmp_path)
    harm(evaluated)
    assert run_command("calibrate", BUNDLE, evaluated) == 2
    assert message in capsys.readouterr().err


def remove_a_map(folder: Path) -> None:
    next(folder.rglob("*_probseg.nii.gz")).unlink()


def replace_a_map(folder: Path) -> None:
    write_image(next(folder.rglob("*_probseg.nii.gz")), images_of(0)[0] + 1, np.eye(4))


def break_a_plan(folder: Path) -> None:
    next(folder.glob("*/plan.json")).write_text("{")


def leave_one_patient(folder: Path) -> None:
    for patient in ("sub-02", "sub-03"):
        shutil.rmtree(folder / f"left-out-{patient}")


def name_another_bundle(folder: Path) -> None:
    for record in folder.glob("*/plan.json"):
        record.write_text(record.read_text().replace(BUNDLE, "other"))


def empty(comparison: Path) -> None:
    shutil.rmtree(comparison)
    comparison.mkdir()


def leave_one_untrained(folder: Path) -> None:
    for training in (folder / "left-out-sub-03").glob("default-*"):
        shutil.rmtree(training)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (leave_one_untrained, "left-out-sub-03: holds no default that was trained; run the same compare to its end"),
        (remove_a_map, "no such probability map; run compare --leave-one-out to its end"),
        (replace_a_map, "holds values outside of 0 to 1"),
        (break_a_plan, "cannot be read"),
        (leave_one_patient, "holds the results of 1 left-out patients with default, two are needed"),
        (name_another_bundle, "holds results of other; give it in place of ms_lesion_segmentation_fanet"),
        (
            empty,
            "holds no folder left-out-* and no summary.json; give the output folder of compare --leave-one-out, or",
        ),
        (shutil.rmtree, "no such folder; give that of compare --leave-one-out, or of evaluate"),
    ],
)
def test_what_cannot_be_used_has_one_line(
    harm: Callable[[Path], object],
    message: str,
    comparison: Path,
    run_command: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(comparison)
    assert run_command("calibrate", BUNDLE, comparison) == 2
    assert message in capsys.readouterr().err
    assert not (comparison / "calibration").exists()


def test_bundles_without_lesions_cannot_be_calibrated(
    comparison: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("calibrate", "brain_super_resolution_cftn", comparison) == 2
    assert "brain_super_resolution_cftn: has no lesion masks to calibrate; name a bundle" in capsys.readouterr().err
