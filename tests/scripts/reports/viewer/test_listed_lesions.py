"""Tests of scripts.reports.viewer.listed_lesions."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.scripts.reports.viewer import Shown, ShownGrid, list_lesions


@pytest.fixture
def grid(tmp_path: Path) -> ShownGrid:
    nib.save(nib.Nifti1Image(np.zeros((20, 20, 16), np.float32), np.diag([2, 2, 2.5, 1])), tmp_path / "a.nii")
    return ShownGrid(tmp_path / "a.nii")


@pytest.mark.parametrize("contrast", ["FLAIR", "PDw"])
def test_where_no_brain_is_seen_places_are_unknown(contrast: str, grid: ShownGrid) -> None:
    values = np.zeros((20, 20, 16), bool)
    values[2, 2, 2] = values[10:12, 10, 10] = True
    mask = Shown("lesions", values, (0.5, 1), colors="lesions")
    probability = Shown("probability", np.where(values, 0.5, 0), (0.1, 1))
    image = Shown(contrast, np.ones(values.shape, np.float32), (0, 1))
    large, small = list_lesions(mask, grid, [image], probability)
    assert [large.place, small.place] == ["unknown", "unknown"]
    np.testing.assert_allclose([large.volume_ml, small.volume_ml, small.probability], [0.02, 0.01, 0.5])
    assert small.center == (4.0, 4.0, 5.0)
