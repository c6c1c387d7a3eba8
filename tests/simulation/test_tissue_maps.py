"""Tests of simulation.tissue_maps: fluid, gray and white matter become an anatomy with the patient's own lesions."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.simulation.cohort import make_head, read_anatomy
from mri_attention.simulation.tissue_maps import is_tissue_map, own_lesions, read_tissue_map

AFFINE = np.diag([-2.0, 2.0, 2.0, 1.0])
LESION = (slice(38, 44), slice(30, 36), slice(36, 41))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A BIDS folder with a head of 2 mm in which fluid and gray matter were labelled where lesions are."""
    x, y, z = np.ogrid[-45:45, -55:55, -42:42].__iter__()
    radius = np.sqrt((x / 33) ** 2 + (y / 42) ** 2 + (z / 32) ** 2)
    labels = np.select([radius < 0.85, radius < 1, radius < 1.05], [3, 2, 1], 0)
    ventricles = ((abs(x) - 6) / 4) ** 2 + (y / 12) ** 2 + ((z - 3) / 5) ** 2 < 1
    labels[ventricles] = 1
    lesions = np.zeros(labels.shape, np.uint8)
    lesions[LESION] = 1
    labels[LESION] = 1
    labels[:, :, 36][(lesions[:, :, 36] == 0) & (np.roll(lesions[:, :, 36], 1, 0) == 1)] = 2
    save(tmp_path / "sub-1/anat/sub-1_dseg.nii.gz", labels)
    save(tmp_path / "derivatives/consensus/sub-1/anat/sub-1_label-lesion_mask.nii.gz", lesions)
    return tmp_path


def save(path: Path, labels: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), affine), path)


def tissue_map(dataset: Path) -> Path:
    return dataset / "sub-1/anat/sub-1_dseg.nii.gz"


def test_tissue_maps_hold_three_tissues() -> None:
    assert is_tissue_map(np.array([0, 1, 2, 3]))
    assert not is_tissue_map(np.array([0, 2, 3, 41]))


def test_own_lesions_are_found_in_derivatives(dataset: Path) -> None:
    found = own_lesions(tissue_map(dataset))
    assert found is not None
    assert found.name == "sub-1_label-lesion_mask.nii.gz"
    found.unlink()
    assert own_lesions(tissue_map(dataset)) is None


def test_lesions_are_filled_with_white_matter(dataset: Path) -> None:
    path = tissue_map(dataset)
    anatomy = read_tissue_map(path, own_lesions(path))
    lesions = anatomy.read("lesions") > 0
    assert lesions.sum() == 6 * 6 * 5
    assert anatomy.read("white_matter")[lesions].min() == 1


def test_heads_carry_the_lesions_of_their_patient(dataset: Path) -> None:
    anatomy = read_anatomy(tissue_map(dataset))
    head = make_head(anatomy, np.random.default_rng(0), 3.0)
    own = anatomy.read("lesions").sum() * 8 * (1180 / anatomy.brain_volume)
    assert 0.5 * own < head.lesions.sum() * 27 < 1.8 * own


def test_ventricles_are_found_and_surface_fluid_is_not(dataset: Path) -> None:
    anatomy = read_tissue_map(tissue_map(dataset))
    ventricles = anatomy.read("ventricles")
    assert ventricles.any()
    assert (anatomy.read("csf")[ventricles > 0] > 0.5).all()
    assert ventricles.sum() < 0.5 * anatomy.read("csf").sum()


def test_refuses_lesions_of_another_grid(dataset: Path) -> None:
    other = dataset / "derivatives/consensus/sub-1/anat/sub-1_label-lesion_mask.nii.gz"
    save(other, np.ones((90, 110, 84)), np.diag([-1.0, 1.0, 1.0, 1.0]))
    with pytest.raises(InputError, match=r"label-lesion_mask.*not on the grid of sub-1_dseg"):
        read_anatomy(tissue_map(dataset))


def test_refuses_to_make_a_skull_of_nothing(dataset: Path) -> None:
    with pytest.raises(InputError, match="no skull"):
        read_anatomy(tissue_map(dataset), skull=True)
