"""Tests of scripts.running as a notebook uses it: no console, objects returned."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError, readers
from mri_attention.scripts.running import Bundle, Case, Contestant, evaluate, predict, train
from mri_attention.scripts.running.prediction import Prediction
from tests.scripts.conftest import CONTRASTS, threshold_weights, write_image


@pytest.fixture
def steps() -> list[tuple[object, ...]]:
    """What ``progress`` was told."""
    return []


def images(dataset: Path, subject: str = "sub-01") -> dict[str, str]:
    return {name: str(dataset / subject / "anat" / f"{subject}_{name}.nii.gz") for name in CONTRASTS}


def test_predicts_and_returns_what_it_wrote_in_silence(
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    steps: list[tuple[object, ...]],
) -> None:
    found = predict(tiny_bundle, tiny_dataset, tmp_path / "out", progress=lambda *told: steps.append(told))
    assert [prediction.case.name for prediction in found] == ["sub-01", "sub-02"]
    anat = tmp_path / "out" / "sub-01" / "anat"
    assert found[0].files == [anat / "sub-01_label-lesion_mask.nii.gz"]
    assert found[0].files[0].is_file()
    assert [step[:3] for step in steps[-2:]] == [("applying tiny", 1, 2), ("applying tiny", 2, 2)]
    assert capfd.readouterr() == ("", "")


def test_predicts_a_case_of_named_files(tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    (found,) = predict(tiny_bundle, Case(image=images(tiny_dataset)), tmp_path / "out")
    assert found.case.name == "sub-01"
    assert found.case.image == [images(tiny_dataset)[name] for name in CONTRASTS]


def test_what_is_told_at_the_end_belongs_to_its_case(tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    def tell(prediction: Prediction) -> None:
        logging.getLogger("mri_attention.test").warning("end of %s", prediction.case.name)

    found = predict(tiny_bundle, tiny_dataset, tmp_path / "out", finish=tell)
    told = [[text for text in prediction.warnings if "end of" in text] for prediction in found]
    assert told == [["end of sub-01"], ["end of sub-02"]]


def test_results_that_came_in_the_meantime_stay_recorded(tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    first, second = (Case(image=images(tiny_dataset, subject)) for subject in ("sub-01", "sub-02"))
    predict(tiny_bundle, first, tmp_path, finish=lambda _: predict(tiny_bundle, second, tmp_path))
    assert predict(tiny_bundle, second, tmp_path)


def test_each_image_is_read_once(
    tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, original = Counter[str](), readers._read_nibabel

    def counting(path: Path) -> readers.RawImage:
        read[path.name] += 1
        return original(path)

    monkeypatch.setattr(readers, "_read_nibabel", counting)
    predict(tiny_bundle, tiny_dataset, tmp_path / "out")
    assert len(read) == 6
    assert set(read.values()) == {1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"thresold": 0.4}}, "`thresold`: has no meaning for tiny"),
        ({"settings": {"model_file": "none.pt"}}, "none.pt: no such file of weights"),
        ({"runtime": "tensorrt"}, "`runtime` tensorrt: no such runtime"),
    ],
)
def test_errors_name_arguments_and_ids(
    arguments: dict[str, object], message: str, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        predict(tiny_bundle, tiny_dataset, tmp_path / "out", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case(image="t1.nii"), "`image`: does not tell the contrasts"),
        (Case(image={"T1w": "a.nii"}), "`image`: no T2w, FLAIR given"),
        (Case(image={"CT": "a.nii"}), "`image` CT: no such contrast"),
        (Case(image={}, kspace="k.npz"), "`kspace`: has no meaning for tiny"),
        (Case(image={}, reference="r.nii"), "`reference` r.nii: has no meaning without `kspace`"),
    ],
)
def test_incomplete_cases_are_refused(case: Case, message: str, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        predict(tiny_bundle, case, tmp_path / "out")


def test_bad_images_raise_the_input_error_itself_wherever_they_are_found(
    tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    """The empty part is found within MONAI's transforms, which raise errors of their own."""
    apart = np.eye(4)
    apart[:3, 3] = 1e4
    far = write_image(tmp_path / "far.nii.gz", np.eye(9, dtype=np.float32)[..., None].repeat(9, -1), apart)
    with pytest.raises(InputError, match="does not overlap with the FLAIR image"):
        predict(tiny_bundle, Case(image=images(tiny_dataset) | {"T1w": str(far)}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_evaluates_networks_on_the_same_cases(
    tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    torch.save(threshold_weights(99.0), tmp_path / "blind.pt")
    networks = [Contestant(), Contestant("networks/other", tmp_path / "blind.pt")]
    ours, blind = evaluate(Bundle(tiny_bundle), tiny_dataset, tmp_path / "out", contestants=networks)
    assert dict(zip(ours.case_names, ours.column("dice"), strict=True)) == {"sub-01": 1.0, "sub-02": 1.0}
    assert blind.column("dice") == [0.0, 0.0]
    assert all(file.is_file() for files in (*ours.files, *blind.files) for file in files)
    assert capfd.readouterr() == ("", "")


def test_evaluates_each_network_under_each_condition(tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    conditions = [{"allow_nan": True}, {"allow_nan": False}]
    found = evaluate(tiny_bundle, tiny_dataset, tmp_path / "out", vary=[conditions], subjects=["sub-02"])
    assert [evaluation.condition for evaluation in found] == conditions
    anat = tmp_path / "out" / "allow_nan-False" / "sub-02" / "anat"
    assert found[1].files == [[anat / "sub-02_label-lesion_mask.nii.gz"]]
    assert found[1].files[0][0].is_file()


def test_trains_and_returns_checkpoints(
    tiny_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], steps: list[tuple[object, ...]]
) -> None:
    result = train(
        tiny_bundle,
        tmp_path,
        tmp_path / "out",
        settings={"max_epochs": 3},
        progress=lambda *told: steps.append(told),
    )
    assert [file.name for file in result.checkpoints] == ["model.pt"]
    assert (result.steps, result.best, result.store) == (6, None, None)
    assert steps[-1][:3] == ("training tiny", 6, 6)
    assert str(steps[-1][3]).startswith("epoch 3/3, loss ")
    assert capfd.readouterr() == ("", "")


def test_settings_that_a_training_does_not_know_are_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`max_epoch`: has no meaning for tiny"):
        train(tiny_bundle, tmp_path, tmp_path / "out", settings={"max_epoch": 3})
    assert not (tmp_path / "out").exists()
