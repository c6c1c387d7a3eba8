"""Tests of k-space that is given as one file, with its guide beside it."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.datasets.volumes import write_volume
from mri_attention.transforms import LoadGuidedKspaced, load_guided_kspace
from mri_attention.transforms.alignment import Alignment
from mri_attention.transforms.rigid_motion import RigidMotion


@pytest.fixture
def kspace(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    file = tmp_path / "sub-01_acq-fast_kspace.npz"
    data = rng.normal(size=(3, 16, 20)) + 1j * rng.normal(size=(3, 16, 20))
    data[:, 8, 10] = 100  # strongest in the middle
    mask = np.arange(20) % 2 == 0
    np.savez(file, kspace=(data * mask).astype(np.complex64), mask=mask)
    return file


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_guide_is_found_beside_kspace(suffix: str, kspace: Path) -> None:
    values = np.random.default_rng(1).random((20, 16, 3))
    guide = write_volume(kspace.with_name(f"sub-01_acq-fast_T1w{suffix}"), values, np.eye(4))
    alone = LoadGuidedKspaced()({"image": str(kspace)})
    named = LoadGuidedKspaced()({"image": [str(guide)], "kspace": str(kspace)})
    assert alone.keys() == named.keys()
    for key in ("image", "guide", "sampled"):
        torch.testing.assert_close(torch.as_tensor(alone[key]), torch.as_tensor(named[key]), rtol=0, atol=0)


def test_missing_guide_is_named(kspace: Path) -> None:
    with pytest.raises(InputError, match=r"no T1w image beside it.*add sub-01_acq-fast_T1w\.nii\.gz"):
        LoadGuidedKspaced()({"image": str(kspace)})


@pytest.mark.parametrize("guide_shape", [(20, 16), (20, 16, 1), (20, 16, 3)])
def test_one_slice_needs_a_grid_of_one_slice(guide_shape: tuple[int, ...], tmp_path: Path) -> None:
    """A guide of more slices is resampled to a reference of one."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(1, 16, 20)) + 1j * rng.normal(size=(1, 16, 20))
    data[:, 8, 10] = 100
    np.savez(tmp_path / "a.npz", kspace=data.astype(np.complex64), mask=np.ones(20, bool))
    nib.save(nib.Nifti1Image(rng.random(guide_shape).astype(np.float32), np.eye(4)), tmp_path / "T1w.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros((20, 16, 1), np.float32), np.eye(4)), tmp_path / "slice.nii.gz")
    case = {"image": [str(tmp_path / "T1w.nii.gz")], "kspace": str(tmp_path / "a.npz")}
    loaded = LoadGuidedKspaced()(case | {"reference": str(tmp_path / "slice.nii.gz")})
    assert loaded["image"].shape == loaded["guide"].shape == (1, 1, 16, 20)
    if guide_shape[-1] == 3:
        with pytest.raises(InputError, match="its images have 20 x 16 x 1 voxels"):
            LoadGuidedKspaced()(case)
    else:
        torch.testing.assert_close(
            torch.as_tensor(LoadGuidedKspaced()(case)["guide"]), torch.as_tensor(loaded["guide"])
        )


def beside(kspace: Path, shift: float) -> dict[str, object]:
    """Make a case whose guide lies ``shift`` mm beside the reference."""
    affine = np.eye(4)
    affine[0, 3] = shift
    guide = write_volume(kspace.with_name("a_T1w.nii.gz"), np.random.default_rng(1).random((20, 16, 3)), affine)
    reference = write_volume(kspace.with_name("reference.nii.gz"), np.ones((20, 16, 3)), np.eye(4))
    return {"image": [str(guide)], "kspace": str(kspace), "reference": str(reference)}


@pytest.mark.parametrize(("shift", "is_told"), [(0, False), (12, True)])
def test_a_guide_that_is_partly_beside_is_told(
    shift: float, is_told: bool, kspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    LoadGuidedKspaced()(beside(kspace, shift))
    assert ("a_T1w.nii.gz: overlaps with only 40 % of the reference image's foreground" in caplog.text) == is_told


def test_a_guide_beside_the_field_of_view_is_refused(kspace: Path) -> None:
    with pytest.raises(InputError, match=r"a_T1w.nii.gz: does not overlap with the reference image"):
        LoadGuidedKspaced()(beside(kspace, 100))


@pytest.mark.parametrize(("register", "shift"), [(True, 2.0), ("auto", 0.0), (False, 0.0)])
def test_a_guide_is_aligned_with_kspace_only_where_that_is_asked_for(
    register: bool | str, shift: float, kspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aliasing of what was measured misleads registration."""
    matrix = np.eye(4)
    matrix[0, 3] = 2.0
    found = Alignment(RigidMotion.of(matrix, np.zeros(3)), 2.0, is_applied=True)
    monkeypatch.setattr(load_guided_kspace, "align", lambda *_: found)
    image = LoadGuidedKspaced(register=register)(beside(kspace, 0))["image"]
    assert image.meta["motion"][0, 0, 3] == shift
    assert bool(image.meta["alignment"]) is (shift > 0)
