"""Tests of k-space that is given as one file, with its guide beside it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.datasets.volumes import write_volume
from mri_attention.transforms import LoadGuidedKspaced


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
