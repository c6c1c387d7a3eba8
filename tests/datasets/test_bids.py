"""Tests of datasets.bids."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets.bids import find_cases, select, split, write_description
from mri_attention.datasets.input_error import InputError

REAL = Path(__file__).parents[3] / "shared" / "data"
LABEL = "label-lesion_mask"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def subject(dataset: Path, name: str, label: bool = True, session: str = "", derivative: str = "a") -> None:
    folder, stem = Path(name, session, "anat"), "_".join(filter(None, (name, session)))
    for contrast in ("T1w", "T2w", "FLAIR"):
        touch(dataset / folder / f"{stem}_{contrast}.nii.gz")
    if label:
        touch(dataset / "derivatives" / derivative / folder / f"{stem}_{LABEL}.nii.gz")


def case(name: str, session: str = "", **more: Any) -> dict[str, Any]:
    return {"subject": name, "session": session, "image": [], **more}


def test_cases_are_sorted_and_their_images_in_the_order_asked_for(tmp_path: Path) -> None:
    for name in ("sub-10", "sub-02"):
        subject(tmp_path, name)
    cases = find_cases(tmp_path, contrasts=("FLAIR", "T1w"), label=LABEL)
    assert [c["subject"] for c in cases] == ["sub-02", "sub-10"]
    anat = tmp_path / "sub-02" / "anat"
    assert cases[0] == {
        "subject": "sub-02",
        "session": "",
        "image": [str(anat / "sub-02_FLAIR.nii.gz"), str(anat / "sub-02_T1w.nii.gz")],
        "label": str(tmp_path / f"derivatives/a/sub-02/anat/sub-02_{LABEL}.nii.gz"),
    }


def test_sessions_are_cases_of_their_own(tmp_path: Path) -> None:
    for session in ("ses-2", "ses-1"):
        subject(tmp_path, "sub-01", session=session)
    cases = find_cases(tmp_path, label=LABEL)
    assert [c["session"] for c in cases] == ["ses-1", "ses-2"]
    assert cases[1]["label"].endswith(f"sub-01/ses-2/anat/sub-01_ses-2_{LABEL}.nii.gz")


def test_subjects_are_chosen_with_or_without_prefix(tmp_path: Path) -> None:
    for name in ("sub-01", "sub-02", "sub-03"):
        subject(tmp_path, name)
    assert [c["subject"] for c in find_cases(tmp_path, subjects=["03", "sub-01"])] == ["sub-01", "sub-03"]


def test_plain_name_wins_over_one_with_more_entities(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01")
    touch(tmp_path / "sub-01/anat/sub-01_ce-gadolinium_T1w.nii.gz")
    assert find_cases(tmp_path, contrasts=["T1w"])[0]["image"][0].endswith("sub-01_T1w.nii.gz")


def test_only_image_with_more_entities_is_taken(tmp_path: Path) -> None:
    image = touch(tmp_path / "sub-01/anat/sub-01_acq-3d_T1w.nii")
    assert find_cases(tmp_path, contrasts=["T1w"])[0]["image"] == [str(image)]


OPTIONAL = ("T1w", "T2w")


def test_a_visit_may_lack_optional_contrasts(tmp_path: Path) -> None:
    for session in ("ses-1", "ses-2"):
        subject(tmp_path, "sub-01", session=session)
    (tmp_path / "sub-01/ses-2/anat/sub-01_ses-2_T2w.nii.gz").unlink()
    whole, without = find_cases(tmp_path, label=LABEL, optional=OPTIONAL)
    assert None not in whole["image"]
    anat = tmp_path / "sub-01/ses-2/anat"
    assert without["image"] == [str(anat / "sub-01_ses-2_T1w.nii.gz"), None, str(anat / "sub-01_ses-2_FLAIR.nii.gz")]
    with pytest.raises(InputError, match="sub-01_ses-2 has no T2w image"):
        find_cases(tmp_path)


def test_a_visit_without_the_others_is_refused_or_left_out_as_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject(tmp_path, "sub-01")
    touch(tmp_path / "sub-02/anat/sub-02_T1w.nii.gz")
    with pytest.raises(InputError, match="sub-02 has no FLAIR image"):
        find_cases(tmp_path, optional=OPTIONAL)
    assert len(find_cases(tmp_path, optional=OPTIONAL, selection={"skip_incomplete": True})) == 1
    assert "sub-02 has no FLAIR image: left out" in caplog.text


def test_optional_images_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01")
    (tmp_path / "sub-01/anat/sub-01_T1w.nii.gz").unlink()
    for run in ("run-1", "run-2"):
        touch(tmp_path / f"sub-01/anat/sub-01_{run}_T1w.nii.gz")
    with pytest.raises(InputError, match="several T1w images"):
        find_cases(tmp_path, optional=OPTIONAL)


def test_images_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    for run in ("run-1", "run-2"):
        touch(tmp_path / f"sub-01/anat/sub-01_{run}_T1w.nii.gz")
    with pytest.raises(InputError, match=r"several T1w images \(sub-01_run-1_T1w"):
        find_cases(tmp_path, contrasts=["T1w"])


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        find_cases(tmp_path / "nowhere")


def test_folder_without_subjects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no subjects"):
        find_cases(tmp_path)


def test_missing_contrast_is_refused_with_subject_and_contrast(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01", session="ses-1")
    (tmp_path / "sub-01/ses-1/anat/sub-01_ses-1_FLAIR.nii.gz").unlink()
    with pytest.raises(InputError, match="sub-01_ses-1 has no FLAIR image; add"):
        find_cases(tmp_path)


def test_unknown_subject_is_refused(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01")
    with pytest.raises(InputError, match="sub-07: no such subject; choose among sub-01"):
        select(find_cases(tmp_path), ["07", "01"])
    with pytest.raises(InputError, match="no such subject"):
        find_cases(tmp_path, subjects=["01", "07"])


def test_cases_without_label_are_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    subject(tmp_path, "sub-01")
    subject(tmp_path, "sub-02", label=False)
    with caplog.at_level(logging.WARNING):
        assert [c["subject"] for c in find_cases(tmp_path, label=LABEL)] == ["sub-01"]
    assert "sub-02" in caplog.text


def test_cases_without_label_stay_if_it_is_not_required(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01", label=False)
    assert "label" not in find_cases(tmp_path, label=LABEL, require_label=False)[0]


@pytest.mark.parametrize("chosen", [["01", "02"], ["02"]])
def test_chosen_subject_without_label_is_refused(tmp_path: Path, chosen: list[str]) -> None:
    subject(tmp_path, "sub-01")
    subject(tmp_path, "sub-02", label=False)
    with pytest.raises(InputError, match="no label-lesion_mask for sub-02; add derivatives"):
        find_cases(tmp_path, label=LABEL, subjects=chosen)


def test_dataset_without_any_label_is_refused(tmp_path: Path) -> None:
    subject(tmp_path, "sub-01", label=False)
    with pytest.raises(InputError, match="no label-lesion_mask for sub-01"):
        find_cases(tmp_path, label=LABEL)


def test_labels_in_two_derivatives_are_refused_until_one_is_named(tmp_path: Path) -> None:
    for derivative in ("consensus", "predicted"):
        subject(tmp_path, "sub-01", derivative=derivative)
    with pytest.raises(InputError, match=r"several derivatives \(consensus, predicted\)"):
        find_cases(tmp_path, label=LABEL)
    assert "/consensus/" in find_cases(tmp_path, label=f"consensus/{LABEL}")[0]["label"]


def write_datalist(folder: Path, content: Any) -> Path:
    for name in ("a_T1w.nii.gz", "a_FLAIR.nii.gz", "label.nii.gz", "sub-02_ses-1_FLAIR.nii.gz"):
        touch(folder / "data" / name)
    path = folder / "datalist.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "image",
    [
        ["data/a_T1w.nii.gz", "data/a_FLAIR.nii.gz"],
        {"FLAIR": "data/a_FLAIR.nii.gz", "T1w": "data/a_T1w.nii.gz"},
    ],
)
def test_datalist_paths_start_at_its_folder(tmp_path: Path, image: Any) -> None:
    path = write_datalist(tmp_path, [{"image": image, "label": "data/label.nii.gz", "subject": "x"}])
    assert find_cases(path, contrasts=("T1w", "FLAIR"), label=LABEL) == [
        {
            "subject": "x",
            "session": "",
            "image": [str(tmp_path / "data/a_T1w.nii.gz"), str(tmp_path / "data/a_FLAIR.nii.gz")],
            "label": str(tmp_path / "data/label.nii.gz"),
        }
    ]


def test_datalist_tells_subject_session_and_split(tmp_path: Path) -> None:
    flair = {"image": "data/a_FLAIR.nii.gz"}, {"image": "data/sub-02_ses-1_FLAIR.nii.gz"}
    path = write_datalist(tmp_path, {"training": [flair[0]], "validation": [flair[1]]})
    cases = find_cases(path)
    assert [(c["subject"], c["session"]) for c in cases] == [("a_FLAIR", ""), ("sub-02", "ses-1")]
    training, validation = split(cases)
    assert [c["subject"] for c in training] == ["a_FLAIR"]
    assert [c["subject"] for c in validation] == ["sub-02"]


@pytest.mark.parametrize("entry", ["a", None, ["a", "b"]])
def test_datalist_entry_that_is_no_object_is_refused_as_it_stands(tmp_path: Path, entry: Any) -> None:
    path = tmp_path / "datalist.json"
    path.write_text(json.dumps([entry]))
    with pytest.raises(InputError, match=re.escape(f"entry 1: is {json.dumps(entry)}, not an object; write")):
        find_cases(path)


@pytest.mark.parametrize(
    "entry",
    [{}, {"image": ["data/a_T1w.nii.gz"]}, {"image": {"T1w": "data/a_T1w.nii.gz"}}, {"image": 3}],
)
def test_datalist_entry_without_an_image_per_contrast_is_refused(tmp_path: Path, entry: Any) -> None:
    with pytest.raises(InputError, match="lacks an image per contrast; give a list in the order T1w, FLAIR"):
        find_cases(write_datalist(tmp_path, [entry]), contrasts=("T1w", "FLAIR"))


def test_datalist_that_names_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = write_datalist(tmp_path, [{"image": "data/a_FLAIR.nii.gz", "label": "data/none.nii.gz"}])
    with pytest.raises(InputError, match=r"none.nii.gz: no such file, named in datalist.json"):
        find_cases(path)


@pytest.mark.parametrize("content", ["{", "3", '{"training": 3}'])
def test_what_is_no_datalist_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match="not a JSON datalist"):
        find_cases(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["[]", "{}", '{"training": []}'])
def test_empty_datalist_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match="no cases under training or validation"):
        find_cases(tmp_path / "a.json")


@pytest.mark.parametrize("seed", range(5))
def test_sessions_of_a_subject_stay_on_one_side(seed: int) -> None:
    cases = [case(f"sub-{i:02}", f"ses-{j}") for i in range(7) for j in (1, 2)]
    training, validation = split(cases, fraction=0.3, seed=seed)
    assert len(validation) == 4
    assert {c["subject"] for c in training}.isdisjoint(c["subject"] for c in validation)
    assert len(training) + len(validation) == len(cases)


def test_split_depends_on_the_seed_and_not_on_the_order() -> None:
    cases = [case(f"sub-{i:02}") for i in range(20)]
    drawn = {seed: [c["subject"] for c in split(cases, 5, seed=seed)[1]] for seed in range(4)}
    assert len({tuple(subjects) for subjects in drawn.values()}) == 4
    assert sorted(c["subject"] for c in split(cases[::-1], 5, seed=3)[1]) == drawn[3]


@pytest.mark.parametrize(
    ("n_validation", "fraction", "expected"), [(0, 0.5, 0), (3, 0.5, 3), (None, 0.01, 1), (None, 0.0, 0)]
)
def test_split_has_the_size_asked_for(n_validation: int | None, fraction: float, expected: int) -> None:
    assert len(split([case(f"sub-{i}") for i in range(8)], n_validation, fraction)[1]) == expected


@pytest.mark.parametrize(("n_subjects", "n_validation"), [(1, None), (2, 2), (2, -1)])
def test_split_without_training_subjects_is_refused(n_subjects: int, n_validation: int | None) -> None:
    with pytest.raises(InputError, match=f"of {n_subjects} subjects for validation"):
        split([case(f"sub-{i}") for i in range(n_subjects)], n_validation)


def test_description_has_what_bids_requires(tmp_path: Path) -> None:
    raw = json.loads(write_description(tmp_path / "x", "Heads", License="CC0").read_text())
    assert raw == {"Name": "Heads", "BIDSVersion": "1.10.0", "DatasetType": "raw", "License": "CC0"}
    made_by = {"Name": "fanet", "Version": "0.1.0"}
    derivative = json.loads(write_description(tmp_path, "Lesions", generated_by=made_by).read_text())
    assert derivative["DatasetType"] == "derivative"
    assert derivative["GeneratedBy"] == [made_by]


def test_description_in_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_description(touch(tmp_path / "file"), "Heads")


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
def test_real_patients_have_their_labels() -> None:
    cases = find_cases(REAL / "ms_lesions", label=LABEL)
    assert [(c["subject"], len(c["image"])) for c in cases] == [("sub-07", 3), ("sub-19", 3)]
    assert all(Path(c["label"]).exists() for c in cases)
