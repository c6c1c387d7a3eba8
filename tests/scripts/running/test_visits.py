"""Tests of scripts.running.visits, with the config's values in the place of a bundle."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running.visits import Visit, visits_named, visits_of_dataset, with_lesions

CONTRASTS = ["T1w", "T2w", "FLAIR"]


class Values(dict[str, Any]):
    """Values of a config."""

    def value(self, name: str) -> Any:
        return self[name]


def files(start: str) -> dict[str, str]:
    return {name: f"{start}_{name}.nii" for name in CONTRASTS}


def case(subject: str, session: str, missing: Sequence[str] = ()) -> dict[str, Any]:
    image = [None if name in missing else f"{subject}_{session}_{name}.nii" for name in CONTRASTS]
    return {"subject": subject, "session": session, "image": image}


def values(cases: Sequence[Mapping[str, Any]], **selection: Any) -> Any:
    return Values(contrasts=CONTRASTS, cases=cases, selection=selection)


def test_visits_are_in_the_order_of_their_numbers() -> None:
    cases = [case("sub-1", session) for session in ("ses-1", "ses-10", "ses-2")]
    ((one, two, three),) = visits_of_dataset(values(cases))
    assert [visit.session for visit in (one, two, three)] == ["ses-1", "ses-2", "ses-10"]
    assert one.images == {name: f"sub-1_ses-1_{name}.nii" for name in CONTRASTS}


def test_missing_contrasts_are_left_out() -> None:
    ((one, _),) = visits_of_dataset(values([case("sub-1", "ses-1", missing=["T2w"]), case("sub-1", "ses-2")]))
    assert list(one.images) == ["T1w", "FLAIR"]


def test_patients_with_one_visit_are_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    cases = [case("sub-1", "ses-1"), case("sub-1", "ses-2"), case("sub-2", "ses-1")]
    with caplog.at_level(logging.WARNING):
        (patient,) = visits_of_dataset(values(cases))
    assert {visit.subject for visit in patient} == {"sub-1"}
    assert caplog.messages == ["left out for want of a second visit: sub-2"]
    with pytest.raises(InputError, match="sub-2_ses-1: is the only visit"):
        visits_of_dataset(values(cases, subjects=["1", "2"]))


def test_named_visits_keep_their_order_and_get_names() -> None:
    visits = visits_named({"second": files("a"), "ses-first": files("b")}, values([]))
    assert [visit.name for visit in visits] == ["sub-patient_ses-second", "sub-patient_ses-first"]
    visits = visits_named({"a": files("x/sub-7_ses-1"), "b": files("x/sub-7_ses-2")}, values([]))
    assert visits[0].subject == "sub-7"


def test_a_visit_or_a_file_that_is_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="visit ses-1: is given twice"):
        visits_named({"1": files("a"), "ses-1": files("b")}, values([]))
    with pytest.raises(InputError, match=r"a_T1w\.nii: is given twice; give each visit its own images"):
        visits_named({"1": files("a"), "2": files("a")}, values([]))
    with pytest.raises(InputError, match="is the only visit"):
        visits_named({"1": files("a")}, values([]))


def test_unknown_contrasts_are_refused_by_the_name_of_their_visit() -> None:
    named = {number: files(number) | {"PDw": f"{number}_PDw.nii"} for number in ("1", "2")}
    with pytest.raises(InputError, match="visit ses-1 PDw: no such contrast"):
        visits_named(named, values([]))


def test_masks_are_for_one_patient(tmp_path: Path) -> None:
    mask = tmp_path / "a.nii"
    mask.touch()
    patients = [[Visit(subject, "ses-1", {})] for subject in ("sub-1", "sub-2")]
    assert with_lesions(patients, {}) == patients
    with pytest.raises(InputError, match="is for one patient, there are 2"):
        with_lesions(patients, {"1": "a.nii"})
    ((visit,),) = with_lesions(patients[:1], {"1": str(mask)})
    assert visit.lesions == str(mask)
    with pytest.raises(InputError, match="`lesion_mask` ses-1: is given twice; give one mask"):
        with_lesions(patients[:1], {"1": str(mask), "ses-1": str(mask)})
    with pytest.raises(InputError, match=r"nothing\.nii: no such file; check the path of `lesion_mask`"):
        with_lesions(patients[:1], {"1": "nothing.nii"})
