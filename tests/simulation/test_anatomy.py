"""Tests of datasets.anatomy."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.simulation.anatomy import BRAIN_CENTER, LABELS, list_images, mni_anatomy, read_label_map


def center(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return affine[:3, :3] @ np.argwhere(mask).mean(0) + affine[:3, 3]


@pytest.fixture
def label_map(tmp_path: Path) -> Path:
    """A ball of white matter (label 2) with a ventricle (4), a cortex (3) and a scalp (511), stored as LAS."""
    radius = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(40) - 19.5] * 3, indexing="ij")), axis=0)
    labels = np.select([radius < 4, radius < 10, radius < 13, radius < 16], [4, 2, 3, 511], 0).astype(np.int16)
    path = tmp_path / "sub-1_dseg.nii.gz"
    nib.save(nib.Nifti1Image(labels, np.diag([-2.0, 2, 2, 1])), path)
    return path


def test_mni_fractions_add_up_to_one_in_the_brain() -> None:
    anatomy = mni_anatomy()
    total = sum(anatomy.read(name) for name in ("white_matter", "gray_matter", "csf"))
    np.testing.assert_allclose(total[anatomy.read("brain") > 0], 1, atol=1e-3)


def test_mni_brain_has_its_published_size_and_place() -> None:
    anatomy = mni_anatomy()
    assert anatomy.brain_volume == pytest.approx(1880, rel=0.02)
    assert np.abs(center(anatomy.read("brain") > 0, anatomy.affine) - BRAIN_CENTER).max() < 1


@pytest.mark.parametrize(("region", "low", "high"), [("ventricles", 10, 60), ("infratentorial", 120, 260)])
def test_mni_regions_have_plausible_volumes(region: str, low: float, high: float) -> None:
    assert low < mni_anatomy().read(region).sum() / 1000 < high  # ml


def test_mni_ventricles_are_fluid_on_both_sides() -> None:
    anatomy = mni_anatomy()
    inside = np.argwhere(anatomy.read("ventricles") > 0)
    x = anatomy.affine[0, 0] * inside[:, 0] + anatomy.affine[0, 3]
    assert 0.3 < (x < 0).mean() < 0.7
    assert anatomy.read("csf")[tuple(inside.T)].min() > 0.5


def test_mni_skull_surrounds_the_brain() -> None:
    anatomy = mni_anatomy(True)
    brain = anatomy.read("brain") > 0
    assert not (brain & (anatomy.read("bone") > 0)).any()
    assert anatomy.read("bone").sum() > 100_000


def test_label_map_is_read_in_ras_and_centered(label_map: Path) -> None:
    anatomy = read_label_map(label_map)
    assert (np.diag(anatomy.affine)[:3] > 0).all()
    np.testing.assert_allclose(center(anatomy.read("brain") > 0, anatomy.affine), BRAIN_CENTER, atol=1e-6)


def test_label_map_keeps_its_volumes(label_map: Path) -> None:
    labels = np.asarray(nib.load(label_map).dataobj)
    assert read_label_map(label_map).read("white_matter").sum() == (labels == 2).sum()
    assert read_label_map(label_map).brain_volume == pytest.approx(
        np.isin(labels, (2, 3, 4)).sum() * 8 / 1000, rel=0.02
    )


def test_scalp_stays_only_with_skull(label_map: Path) -> None:
    n_scalp = (np.asarray(nib.load(label_map).dataobj) == 511).sum()
    assert read_label_map(label_map, with_skull=True).read("fat").sum() == n_scalp


def test_labels_are_named_once() -> None:
    labels = [label for group in LABELS.values() for label in group]
    assert len(labels) == len(set(labels))


def test_rejects_a_map_without_white_matter(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / "a_dseg.nii.gz")
    with pytest.raises(InputError, match=r"a_dseg.nii.gz: has no white matter"):
        read_label_map(tmp_path / "a_dseg.nii.gz")


def test_rejects_a_broken_map(tmp_path: Path) -> None:
    (tmp_path / "a_dseg.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot be read"):
        read_label_map(tmp_path / "a_dseg.nii.gz")


def test_rejects_fractions_of_labels(tmp_path: Path) -> None:
    labels = np.full((4, 4, 4), 2, np.float32)
    labels[1, 2, 3] = 2.5
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "a_dseg.nii.gz")
    with pytest.raises(InputError, match=r"a_dseg.nii.gz: holds 2.5, which is no label"):
        read_label_map(tmp_path / "a_dseg.nii.gz")


def test_rejects_a_folder_without_maps(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*_dseg"):
        list_images(tmp_path, "_dseg", "label maps")


def test_files_that_macos_adds_are_passed_by(tmp_path: Path) -> None:
    for name in ("sub-01_dseg.nii.gz", "._sub-01_dseg.nii.gz"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path, "_dseg", "label maps")] == ["sub-01_dseg.nii.gz"]
