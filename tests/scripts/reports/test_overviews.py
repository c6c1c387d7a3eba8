"""Tests of scripts.reports.overviews."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from mri_attention.datasets import Case
from mri_attention.scripts.reports.overviews import write_overview
from mri_attention.scripts.running.prediction import Prediction


@pytest.mark.parametrize("shape", [(40, 36, 1), (1, 40, 36), (4, 300, 280)])
def test_few_slices_are_drawn_in_a_picture_of_usual_size(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "sub-01_T2w.nii.gz")
    told = write_overview(Prediction(Case("sub-01"), [tmp_path / "sub-01_T2w.nii.gz"]))
    assert told is not None
    assert told[0] == f"T2w: {' x '.join(map(str, shape))} voxels of 1.00 x 1.00 x 1.00 mm"
    assert max(Image.open(told[1]).size) < 3000
