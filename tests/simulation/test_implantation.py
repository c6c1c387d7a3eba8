"""Tests of datasets.implantation: what changes in a real head, and what must not."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError, find_cases
from mri_attention.datasets.volumes import write_volume
from mri_attention.simulation.cohort import simulate_dataset
from mri_attention.simulation.implantation import implant, implant_dataset

CONTRASTS = ("T1w", "T2w", "FLAIR")


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    simulate_dataset(folder, n_subjects=2, seed=5, spacing=3.0)
    return folder


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One mask: a ball of 12 mm radius in the left centrum semiovale."""
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    world = np.stack(np.meshgrid(*[np.arange(60) * 3 + o for o in affine[:3, 3]], indexing="ij"), -1)
    ball = np.linalg.norm(world - (-26, -20, 30), axis=-1) < 12
    folder = tmp_path_factory.mktemp("masks")
    write_volume(folder / "ball_mask.nii.gz", ball.astype(np.uint8), affine, dtype="uint8")
    return folder


def head(noise: float = 0.0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A cube of white matter with a rim of gray matter and a fluid core, and a lesion share in a corner of it."""
    rng = np.random.default_rng(0)
    levels = {"T1w": (400, 300, 100), "T2w": (300, 350, 900), "FLAIR": (400, 440, 40)}
    images = {}
    for contrast, (white, gray, fluid) in levels.items():
        image = np.zeros((24, 24, 24), np.float32)
        image[2:-2, 2:-2, 2:-2] = gray
        image[4:-4, 4:-4, 4:-4] = white
        image[10:14, 10:14, 10:14] = fluid
        images[contrast] = np.where(image > 0, image + noise * rng.standard_normal(image.shape), 0).astype(np.float32)
    shares = np.zeros((24, 24, 24), np.float32)
    shares[6:12, 6:12, 6:12] = 1
    return images, shares


def test_lesions_are_bright_on_t2w_and_flair_and_dark_on_t1w() -> None:
    for seed in range(8):
        images, shares = head()
        changed, lesions = implant(images, shares, np.random.default_rng(seed))
        assert lesions.any()
        assert (changed["T1w"][lesions] < images["T1w"][lesions]).all()
        assert (changed["T2w"][lesions] > images["T2w"][lesions]).all()
        assert (changed["FLAIR"][lesions] > images["FLAIR"][lesions]).all()


def test_nothing_changes_outside_lesions_nor_in_fluid_and_air() -> None:
    images, shares = head()
    changed, lesions = implant(images, shares, np.random.default_rng(0))
    for contrast in CONTRASTS:
        assert np.array_equal(changed[contrast][shares == 0], images[contrast][shares == 0])
        assert np.array_equal(changed[contrast][10:14, 10:14, 10:14], images[contrast][10:14, 10:14, 10:14])
    assert not lesions[10:14, 10:14, 10:14].any()
    assert not lesions[shares < 0.5].any()


def test_noise_of_the_head_stays_in_its_lesions() -> None:
    quiet, shares = head()
    noisy, _ = head(noise=8.0)
    lesion = implant(quiet, shares, np.random.default_rng(0))[1]
    changed = implant(noisy, shares, np.random.default_rng(0))[0]["T2w"]
    assert changed[lesion].std() == pytest.approx(8.0, rel=0.2)


def test_lesions_smaller_than_three_voxels_are_left_out() -> None:
    images, shares = head()
    shares[:] = 0
    shares[6, 6, 6:8] = 1
    changed, lesions = implant(images, shares, np.random.default_rng(0))
    assert not lesions.any()
    assert np.array_equal(changed["FLAIR"], images["FLAIR"])


def test_writes_a_bids_dataset_that_keeps_grid_and_own_lesions(tmp_path: Path, heads: Path, masks: Path) -> None:
    names = implant_dataset(tmp_path, heads, masks, n_subjects=3, seed=1)
    assert names == ["sub-001x001", "sub-002x002", "sub-001x003"]
    cases = find_cases(tmp_path, CONTRASTS, "label-lesion_mask")
    assert len(cases) == 3
    source = find_cases(heads, CONTRASTS, "label-lesion_mask")[0]
    before, after = (nib.load(case["label"]) for case in (source, cases[0]))
    assert np.array_equal(before.affine, after.affine)
    assert (np.asarray(after.dataobj)[np.asarray(before.dataobj) > 0] > 0).all()
    assert np.asarray(after.dataobj).sum() > np.asarray(before.dataobj).sum()


def test_a_subject_is_the_same_whatever_others_are_made(tmp_path: Path, heads: Path, masks: Path) -> None:
    for folder, n_subjects in (("few", 1), ("more", 2)):
        implant_dataset(tmp_path / folder, heads, masks, n_subjects=n_subjects, seed=4, subjects=["sub-002"])
    few, more = (tmp_path / f / "sub-002x001/anat/sub-002x001_FLAIR.nii.gz" for f in ("few", "more"))
    assert np.array_equal(np.asarray(nib.load(few).dataobj), np.asarray(nib.load(more).dataobj))


@pytest.mark.parametrize(("change", "message"), [("shift", "not on the FLAIR's grid"), ("tilt", "oblique")])
def test_refuses_heads_on_other_grids(tmp_path: Path, masks: Path, change: str, message: str) -> None:
    rng = np.random.default_rng(0)
    for contrast in CONTRASTS:
        affine = np.diag([3.0, 3.0, 3.0, 1.0])
        if change == "shift" and contrast == "T2w":
            affine[0, 3] = 1
        if change == "tilt":
            affine[0, 1] = 0.5
        volume = rng.uniform(1, 2, (9, 9, 9)).astype(np.float32)
        write_volume(tmp_path / f"heads/sub-1/anat/sub-1_{contrast}.nii.gz", volume, affine)
    with pytest.raises(InputError, match=message):
        implant_dataset(tmp_path / "out", tmp_path / "heads", masks, n_subjects=1)


def test_refuses_no_subjects(tmp_path: Path, heads: Path, masks: Path) -> None:
    with pytest.raises(ValueError, match="n_subjects=0"):
        implant_dataset(tmp_path, heads, masks, n_subjects=0)
