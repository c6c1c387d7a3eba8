"""Tests of scripts.longitudinal on a tiny bundle and heads of ellipsoids that moved between two visits."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.longitudinal import parse_masks, parse_visits
from tests.scripts.conftest import write_image
from tests.transforms.ellipsoid_heads import FIXED_GRID, head, motion_matrix

Run = Callable[..., int]

SHAPE = (68, 88, 60)
MOTION = motion_matrix((2, -3, 4), (4, -3, 5))
LESIONS = {  # voxels, radius at each of two visits
    "stable": ((34, 60, 30), (3, 3)),
    "new": ((30, 30, 30), (0, 3)),
    "vanished": ((44, 40, 36), (3, 0)),
    "enlarging": ((24, 50, 36), (3, 4.5)),
}


def lesions(visit: int) -> np.ndarray:
    points = np.stack(np.indices(SHAPE), -1)
    found = [np.linalg.norm(points - center, axis=-1) <= radii[visit] - 0.1 for center, radii in LESIONS.values()]
    return np.logical_or.reduce(found)


def write_visit(dataset: Path, visit: int) -> None:
    """Write a visit; the second one lies elsewhere, and is brighter and noisier."""
    affine = FIXED_GRID if visit == 0 else MOTION @ FIXED_GRID
    stem = f"sub-01_ses-{visit + 1}"
    noise = np.random.default_rng(visit).normal(scale=0.02 * visit, size=SHAPE)
    t1w, flair = (head(FIXED_GRID, SHAPE, contrast, np.eye(4))[0].numpy() for contrast in (0, 1))
    brain = np.clip(t1w, 0, None) > 0.3
    images = {
        "T1w": (t1w + noise) * brain,
        "T2w": (1.5 - t1w + noise) * brain,
        "FLAIR": np.where(lesions(visit), 3, (1 + 0.2 * visit) * flair + noise) * brain,
    }
    for contrast, image in images.items():
        path = dataset / "sub-01" / f"ses-{visit + 1}" / "anat" / f"{stem}_{contrast}.nii.gz"
        write_image(path, image.astype(np.float32), affine)
    write_image(dataset / "masks" / f"{stem}.nii.gz", lesions(visit).astype(np.uint8), affine)


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = tmp_path_factory.mktemp("visits")
    for visit in (0, 1):
        write_visit(dataset, visit)
    return dataset


@pytest.fixture(scope="module")
def coarse_bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle with voxels of 3 mm."""
    bundle = tmp_path_factory.mktemp("bundles") / "coarse"
    shutil.copytree(tiny_bundle, bundle)
    with (bundle / "configs" / "inference.yaml").open("a") as config:
        config.write("spacing: [3.0, 3.0, 3.0]\n")
    return bundle


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def masks(visits: Path) -> list[str]:
    return [w for n in (1, 2) for w in ("--lesion-mask", f"ses-{n}={visits / 'masks' / f'sub-01_ses-{n}.nii.gz'}")]


def named(visits: Path, number: int, contrasts: tuple[str, ...] = ("T1w", "T2w", "FLAIR")) -> str:
    anat = visits / "sub-01" / f"ses-{number}" / "anat"
    return f"ses-{number}:" + ",".join(f"{c}={anat / f'sub-01_ses-{number}_{c}.nii.gz'}" for c in contrasts)


def test_lesions_that_the_network_finds_are_compared(
    run_command: Run, coarse_bundle: Path, visits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--dataset-dir", visits, "--subject", "01", "--output-dir", tmp_path / "out")
    assert run_command("longitudinal", coarse_bundle, *arguments) == 0
    told = capsys.readouterr()
    expected = "1 new, 1 enlarging, 1 stable, 0 shrinking, 1 vanished, 0 uncertain"
    assert f"sub-01, ses-1 to ses-2: {expected} lesions" in told.out
    later = tmp_path / "out" / "sub-01" / "ses-2" / "anat"
    names = {path.name.removeprefix("sub-01_ses-2_space-halfway_") for path in later.iterdir()}
    assert names == {
        *("T1w.nii.gz", "T2w.nii.gz", "FLAIR.nii.gz", "label-lesion_mask.nii.gz", "desc-lesions_dseg.nii.gz"),
        *("desc-changes_dseg.nii.gz", "desc-changes_dseg.tsv", "desc-changes_dseg.png", "desc-difference_FLAIR.nii.gz"),
    }
    assert {row["class"] for row in table(tmp_path / "out" / "sub-01" / "sub-01_changes.tsv")} == set(LESIONS)
    assert b"data:image/png" in (tmp_path / "out" / "sub-01" / "sub-01_changes.html").read_bytes()
    assert json.loads((tmp_path / "out" / "dataset_description.json").read_text())["GeneratedBy"][0]["Name"] == "coarse"
    assert run_command("longitudinal", coarse_bundle, *arguments) == 2
    assert "a result is there already; give --overwrite" in capsys.readouterr().err


def test_given_masks_are_compared_where_the_lesions_are(
    run_command: Run, coarse_bundle: Path, visits: Path, tmp_path: Path
) -> None:
    arguments = ("--visit", named(visits, 1, ("T1w", "FLAIR")), "--visit", named(visits, 2), *masks(visits))
    assert run_command("longitudinal", coarse_bundle, "--output-dir", tmp_path, *arguments) == 0
    rows = table(tmp_path / "sub-01" / "sub-01_changes.tsv")
    assert {row["class"] for row in rows} == set(LESIONS)
    motions = {row["visit"]: row for row in table(tmp_path / "sub-01" / "sub-01_visits.tsv")}
    assert float(motions["ses-1"]["rotation_s_degrees"]) == pytest.approx(2, abs=0.2)
    assert float(motions["ses-2"]["rotation_s_degrees"]) == pytest.approx(-2, abs=0.2)
    true = FIXED_GRID @ [*LESIONS["new"][0], 1]
    (new,) = (row for row in rows if row["class"] == "new")
    moved = RigidHalf(tmp_path).point(true)
    np.testing.assert_allclose([float(new[f"{axis}_mm"]) for axis in "xyz"], moved, atol=3)
    assert not (tmp_path / "sub-01" / "ses-1" / "anat" / "sub-01_ses-1_space-halfway_T2w.nii.gz").exists()


class RigidHalf:
    """Half of the known motion, as the square root of its matrix."""

    def __init__(self, folder: Path) -> None:
        from scipy.linalg import sqrtm

        self.matrix = sqrtm(MOTION).real
        labels = next(folder.rglob("*_desc-changes_dseg.nii.gz"))
        assert len(np.unique(np.asarray(nib.load(labels).dataobj))) == 5  # four classes and no lesion

    def point(self, point: np.ndarray) -> np.ndarray:
        return (self.matrix @ point)[:3]


def test_one_visit_is_refused(
    run_command: Run, coarse_bundle: Path, visits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("--dataset-dir", visits, "--session", "1"), ("--visit", named(visits, 1))):
        assert run_command("longitudinal", coarse_bundle, "--output-dir", tmp_path / "out", *arguments) == 2
        message = "Error: sub-01_ses-1: is the only visit of this patient; give two or more visits\n"
        assert capsys.readouterr().err == message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no visits; give either --dataset-dir or --visit"),
        (("--dataset-dir", "x", "--visit", "a:FLAIR=b"), "visits given twice"),
        (("--visit", "a:FLAIR=b", "--subject", "01"), "have no meaning without --dataset-dir"),
        (("--visit", "a:FLAIR=b", "--visit", "b:FLAIR=c"), "visit ses-a: no T1w, T2w given"),
        (("--visit", "a:FLAIR=sub-1_a.nii", "--visit", "b:FLAIR=sub-2_b.nii"), "different patients (sub-1, sub-2)"),
        (("--visit", "a/b:FLAIR=c", "--visit", "b:FLAIR=c"), "is no name of a session"),
    ],
)
def test_visits_that_are_not_told_well_are_refused(
    arguments: tuple[str, ...],
    message: str,
    run_command: Run,
    coarse_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command("longitudinal", coarse_bundle, "--output-dir", tmp_path / "out", *arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("ses-1=a.nii",), "`lesion_mask` ses-2: is missing"),
        (("ses-1=a.nii", "ses-2=b.nii", "ses-3=c.nii"), "`lesion_mask` ses-3: no such visit"),
    ],
)
def test_masks_are_for_all_visits(
    given: tuple[str, ...],
    message: str,
    run_command: Run,
    coarse_bundle: Path,
    visits: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [word for mask in given for word in ("--lesion-mask", mask)]
    arguments = ("--dataset-dir", visits, "--output-dir", tmp_path / "out", *words)
    assert run_command("longitudinal", coarse_bundle, *arguments) == 2
    assert message.replace("`lesion_mask`", "--lesion-mask") in capsys.readouterr().err


def test_visits_are_read_with_commas_in_their_paths() -> None:
    assert parse_visits(["ses-1:T1w=a,b.nii,FLAIR=c:d.nii"]) == {"ses-1": {"T1w": "a,b.nii", "FLAIR": "c:d.nii"}}
    assert parse_masks(["ses-1=a=b.nii"]) == {"ses-1": "a=b.nii"}


@pytest.mark.parametrize("texts", [["FLAIR=a"], ["a:"], ["a:FLAIR="], ["a:FLAIR=b,FLAIR=c"], ["a:FLAIR=b"] * 2])
def test_visits_of_another_form_are_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match=r"--visit .* once"):
        parse_visits(texts)


@pytest.mark.parametrize("texts", [["a"], ["=b"], ["a="], ["a=b", "a=c"]])
def test_masks_of_another_form_are_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="give one mask for each visit"):
        parse_masks(texts)
