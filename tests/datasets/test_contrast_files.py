"""Tests of datasets.contrast_files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mri_attention.datasets.contrast_files import contrast_of, contrast_paths, in_order, names_to_leave_out
from mri_attention.datasets.input_error import InputError

CONTRASTS = ("T1w", "T2w", "FLAIR")
OPTIONAL = ("T1w", "T2w")
T1W, FLAIR = "sub-01_T1w.nii", "a/FLAIR.nii.gz"


@pytest.mark.parametrize("n_paths", [2, 4, 0])
def test_wrong_number_of_paths_is_refused(n_paths: int) -> None:
    with pytest.raises(InputError, match=f"{n_paths} images for 3 contrasts"):
        contrast_paths(["a.nii"] * n_paths, CONTRASTS)


def test_missing_contrast_in_a_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="no T2w, FLAIR given; give `image` for every contrast"):
        contrast_paths({"T1w": "a.nii"}, CONTRASTS)


@pytest.mark.parametrize(
    "value",
    [[T1W, None, FLAIR], {"T1w": T1W, "FLAIR": FLAIR}, {"FLAIR": FLAIR, "T2w": None, "T1w": T1W}, [FLAIR, T1W]],
    ids=str,
)
def test_optional_contrasts_may_be_missing(value: Any) -> None:
    assert contrast_paths(value, CONTRASTS, OPTIONAL) == {"T1w": Path(T1W), "FLAIR": Path(FLAIR)}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([T1W, "b.nii", None], "no FLAIR given.*only T1w, T2w may be missing"),
        ({"T1w": T1W}, "no FLAIR given"),
        ([T1W, "sub-01_T2w.nii"], "no FLAIR given"),
        (["a.nii", "b.nii"], "2 images for 3 contrasts.*or fewer whose names end with _CONTRAST"),
        ([FLAIR, "b_FLAIR.nii"], "2 images for 3 contrasts"),
        ({"T1": T1W, "FLAIR": FLAIR}, "holds T1, and no T1w, T2w; name contrasts T1w, T2w, FLAIR"),
    ],
    ids=str,
)
def test_what_is_not_told_or_needed_is_refused(value: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        contrast_paths(value, CONTRASTS, OPTIONAL)


def test_others_beside_all_contrasts_do_no_harm() -> None:
    assert list(contrast_paths(dict.fromkeys([*CONTRASTS, "PDw"], "a.nii"), CONTRASTS, OPTIONAL)) == [*CONTRASTS]


def test_paths_are_listed_in_order_with_gaps() -> None:
    assert in_order({"FLAIR": Path(FLAIR)}, CONTRASTS) == [None, None, FLAIR]


@pytest.mark.parametrize(
    ("name", "contrast"), [("x_FLAIR.nii.gz", "FLAIR"), ("T1w.nii", "T1w"), ("xFLAIR.nii", None), ("x_T1w_b.nii", None)]
)
def test_a_name_tells_its_contrast_at_its_end(name: str, contrast: str | None) -> None:
    assert contrast_of(name, CONTRASTS) == contrast


@pytest.mark.parametrize(("value", "names"), [([], []), ("", []), ("T1w+T2w", ["T1w", "T2w"]), (["T2w"], ["T2w"])])
def test_names_to_leave_out_are_a_list_or_joined(value: Any, names: list[str]) -> None:
    assert names_to_leave_out(value, OPTIONAL) == names


@pytest.mark.parametrize(("optional", "remedy"), [(OPTIONAL, "choose among T1w, T2w"), ((), "leave it out")])
def test_only_optional_contrasts_are_left_out(optional: tuple[str, ...], remedy: str) -> None:
    with pytest.raises(InputError, match=f"`leave_out` FLAIR: is no contrast that may be missing; {remedy}"):
        names_to_leave_out("FLAIR", optional)
