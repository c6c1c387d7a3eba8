"""Tests of scripts.reports.viewer.prediction_viewer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import Case
from mri_attention.scripts.reports.viewer import ShownGrid, write_viewer
from mri_attention.scripts.reports.viewer.prediction_viewer import image_page, lesion_page
from mri_attention.scripts.running.prediction import Prediction
from mri_attention.transforms.registration import RigidMotion

LAS = np.array([[-1.5, 0, 0, 20], [0, 1.5, 0, -15], [0, 0, 2, -10], [0, 0, 0, 1.0]])
SHAPE = (24, 20, 16)


def write(path: Path, data: np.ndarray, affine: np.ndarray = LAS) -> Path:
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def noise(seed: int, scale: float = 1.0) -> np.ndarray:
    return (scale * np.random.default_rng(seed).uniform(0.5, 1, SHAPE)).astype(np.float32)


@pytest.fixture
def lesions(tmp_path: Path) -> Prediction:
    """Return what the network for lesions writes, of a lesion on the right."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:6, 9:11, 8] = 1  # the first voxel is the most right one
    names = ["T1w", "T2w", "FLAIR"]
    images = [str(write(tmp_path / f"sub-01_{name}.nii.gz", noise(n))) for n, name in enumerate(names)]
    files = [
        write(tmp_path / "sub-01_label-lesion_mask.nii.gz", mask),
        write(tmp_path / "sub-01_label-lesion_probseg.nii.gz", (0.9 * mask).astype(np.float32)),
        write(tmp_path / "sub-01_desc-brain_mask.nii.gz", np.ones(SHAPE, np.uint8)),
    ]
    motion = RigidMotion(np.eye(4), (0, 0, 0), (1, 0, 0))
    return Prediction(Case("sub-01", image=images), files, {"T1w": motion}, contrasts=names)


def test_lesions_are_listed_and_laid_over_the_contrasts(lesions: Prediction) -> None:
    page = lesion_page(lesions, ShownGrid(lesions.files[0]), lesions.files[0])
    assert [image.name for image in page.images] == ["T1w", "T2w", "FLAIR"]
    assert [image.note for image in page.images] == ["aligned", "", ""]
    assert page.first == 2
    assert {layer.name: layer.is_shown for layer in page.overlays} == {
        "lesions": True,
        "lesion probability": False,
        "brain": False,
    }
    (lesion,) = page.lesions or ()
    assert lesion.center[0] > 10
    np.testing.assert_allclose([lesion.volume_ml, lesion.probability], [0.018, 0.9], rtol=1e-6)
    assert "T1w was moved by" in page.facts


def test_without_a_contrast_that_shows_the_brain_places_are_unknown(lesions: Prediction) -> None:
    other = replace(lesions, contrasts=["PDw", "T2w", "T2starw"], motions={})
    page = lesion_page(other, ShownGrid(other.files[0]), other.files[0])
    assert [lesion.place for lesion in page.lesions or ()] == ["unknown"]
    assert not page.has_places


def test_the_page_lies_beside_the_results(lesions: Prediction, tmp_path: Path) -> None:
    assert write_viewer(lesions, "1 lesion") == tmp_path / "sub-01_viewer.html"
    assert "1 lesion" in (tmp_path / "sub-01_viewer.html").read_text(encoding="utf-8")


def test_results_are_compared_with_the_image_of_their_contrast(tmp_path: Path) -> None:
    coarse = LAS @ np.diag([2, 2, 1, 1])
    low = write(tmp_path / "sub-01_T2w.nii.gz", noise(0)[::2, ::2], coarse)
    guide = write(tmp_path / "sub-01_T1w.nii.gz", noise(1, 100))
    result = write(tmp_path / "sub-01_rec-sanet_T2w.nii.gz", noise(2))
    prediction = Prediction(Case("sub-01", image=[str(low), str(guide)]), [result], contrasts=["T2w", "T1w"])
    page = image_page(prediction, ShownGrid(result))
    names = [image.name for image in page.images]
    assert names == ["T2w result", "T2w result minus T2w as given", "T2w as given", "T1w as given"]
    result_shown, difference, given, other = page.images
    np.testing.assert_array_equal(difference.values, result_shown.values - given.values)
    assert given.window == result_shown.window != other.window
    assert page.lesions is None


def test_what_the_network_got_is_the_first_to_compare_with(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"sub-01_{suffix}_T2w.nii.gz", noise(n))
        for n, suffix in enumerate(("rec-manet", "desc-input"))
    ]
    guide = write(tmp_path / "sub-01_T1w.nii.gz", noise(3))
    prediction = Prediction(Case("sub-01", image=[str(guide)]), files, contrasts=["T1w"])
    names = [image.name for image in image_page(prediction, ShownGrid(files[0])).images]
    assert names == ["T2w result", "T2w result minus T2w input", "T2w input", "T1w as given"]


def test_maps_and_fields_have_their_units(tmp_path: Path) -> None:
    field = write(tmp_path / "sub-01_localfield.nii.gz", noise(0) - 0.75)
    result = write(tmp_path / "sub-01_Chimap.nii.gz", noise(1) - 0.75)
    prediction = Prediction(Case("sub-01", image=[str(field)]), [result], contrasts=["localfield"], unit="hz")
    chimap, given = image_page(prediction, ShownGrid(result)).images
    assert (chimap.unit, chimap.window, given.unit) == ("ppm", (-0.15, 0.15), "hz")
    assert given.window[0] == -given.window[1]


def test_a_prediction_without_an_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no image among"):
        write_viewer(Prediction(Case("sub-01"), [tmp_path / "sub-01_Chimap.json"]))
