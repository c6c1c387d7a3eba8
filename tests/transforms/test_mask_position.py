"""Tests of transforms.mask_position."""

import logging
from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.transforms import ApplyBrainMaskd, LoadContrastsd
from tests.transforms.heads import GRID, blob, patient, save

OFF_CENTER = (6.0, 8, 5)
LOST = {
    "origin": np.array([[1, 0, 0, 12.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ GRID,
    "direction": GRID @ np.array([[-1, 0, 0, 19], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    "voxel size": np.diag([1.0, 1, 1, 1]),
}


def head(folder: Path, t1w: np.ndarray = GRID) -> dict[str, object]:
    paths = patient(folder, t1w)
    for path, grid in zip(paths, (t1w, GRID, GRID), strict=True):
        save(Path(path), blob(grid, center=OFF_CENTER), grid)
    return dict(LoadContrastsd()({"image": paths}))


def mask_of(affine: np.ndarray) -> np.ndarray:
    return (blob(affine, center=OFF_CENTER) > 0.3).astype(np.uint8)


@pytest.mark.parametrize("header", LOST.values(), ids=LOST)
def test_a_mask_that_lost_its_header_is_refused(tmp_path: Path, header: np.ndarray) -> None:
    data = head(tmp_path) | {"mask": str(save(tmp_path / "mask.nii.gz", mask_of(GRID), header))}
    with pytest.raises(InputError, match=r"mask.nii.gz: .* shape \(20, 22, 10\), but affines that differ by .*repair"):
        ApplyBrainMaskd()(data)


def test_a_mask_that_was_turned_with_its_header_is_used(tmp_path: Path) -> None:
    mask = mask_of(GRID)
    turned = str(save(tmp_path / "mask.nii.gz", mask[::-1].copy(), LOST["direction"]))
    used = ApplyBrainMaskd()(head(tmp_path) | {"mask": turned})["mask"]
    np.testing.assert_array_equal(used[0].numpy(), mask)


def test_a_header_that_differs_by_less_than_half_a_voxel_is_no_loss(tmp_path: Path) -> None:
    rounded = GRID.copy()
    rounded[:3, 3] += 0.05
    mask = str(save(tmp_path / "mask.nii.gz", mask_of(GRID), rounded))
    assert ApplyBrainMaskd()(head(tmp_path) | {"mask": mask})["mask"].any()


def test_a_mask_may_have_the_grid_of_any_contrast(tmp_path: Path) -> None:
    beside = LOST["origin"]
    mask = str(save(tmp_path / "mask.nii.gz", mask_of(beside), beside))
    assert ApplyBrainMaskd()(head(tmp_path, beside) | {"mask": mask})["mask"].any()


def test_a_mask_mostly_beside_the_image_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    far = GRID.copy()
    far[0, 3] += 30
    mask = str(save(tmp_path / "mask.nii.gz", np.ones((20, 22, 11), np.uint8), far))
    with caplog.at_level(logging.WARNING):
        ApplyBrainMaskd()(head(tmp_path) | {"mask": mask})
    assert "only 23 % of the brain mask lie in the image" in caplog.text
