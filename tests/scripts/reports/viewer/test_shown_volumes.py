"""Tests of scripts.reports.viewer.shown_volumes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.scripts.reports.viewer import Shown, ShownGrid
from mri_attention.scripts.reports.viewer.shown_volumes import PPM_WINDOW, window_of

LAS = np.array([[-1.5, 0, 0, 20], [0, 1.5, 0, -15], [0, 0, 2, -10], [0, 0, 0, 1.0]])


def write(path: Path, data: np.ndarray, affine: np.ndarray = LAS) -> Path:
    nib.save(nib.Nifti1Image(data.astype(np.float32), affine), path)
    return path


def point(shape: tuple[int, ...], voxel: tuple[int, ...]) -> np.ndarray:
    data = np.zeros(shape)
    data[voxel] = 1
    return data


def test_volumes_are_turned_and_stay_where_they_are(tmp_path: Path) -> None:
    grid = ShownGrid(write(tmp_path / "mask.nii", point((24, 20, 16), (3, 4, 5))))
    values = grid.load(tmp_path / "mask.nii")
    (voxel,) = np.argwhere(values)
    np.testing.assert_allclose(grid.affine @ [*voxel, 1], LAS @ [3, 4, 5, 1])
    assert nib.aff2axcodes(grid.affine) == ("R", "A", "S")


def test_values_on_the_same_grid_are_not_interpolated(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((6, 5, 4)).astype(np.float32)
    grid = ShownGrid(write(tmp_path / "a.nii", data))
    np.testing.assert_array_equal(grid.load(tmp_path / "a.nii"), data[::-1])


def test_other_grids_are_resampled(tmp_path: Path) -> None:
    grid = ShownGrid(write(tmp_path / "a.nii", np.ones((12, 10, 8))))
    finer = LAS @ np.diag([0.5, 0.5, 0.5, 1])
    values = grid.load(write(tmp_path / "b.nii", np.full((24, 20, 16), 7.0), finer))
    assert values.shape == (12, 10, 8)
    np.testing.assert_allclose(values[2:-2, 2:-2, 2:-2], 7)


def test_images_are_moved_as_the_network_had_them(tmp_path: Path) -> None:
    grid = ShownGrid(write(tmp_path / "a.nii", point((24, 20, 16), (3, 4, 5))))
    motion = np.eye(4)
    motion[:3, 3] = (1.5, 0, 2)
    (voxel,) = np.argwhere(grid.load(tmp_path / "a.nii", motion) > 0.5)
    np.testing.assert_allclose(grid.affine @ [*voxel, 1], motion @ LAS @ [3, 4, 5, 1])


def test_the_difference_is_in_colors_of_a_fifth_of_the_window() -> None:
    first, second = (Shown(name, np.full((2, 2, 2), value), (0, 10)) for name, value in (("a", 3.0), ("b", 1.0)))
    difference = first.minus(second)
    assert (difference.values == 2).all()
    assert (difference.name, difference.window, difference.colors) == ("a minus b", (-2, 2), "difference")


@pytest.mark.parametrize(
    ("contrast", "low", "expected"),
    [("Chimap", -1, PPM_WINDOW), ("localfield", -1, "even"), ("T1w", 0, "zero"), ("T1w", -0.1, "zero")],
)
def test_signed_values_are_shown_evenly_around_zero(contrast: str, low: float, expected: object) -> None:
    values = np.linspace(low, 1, 1000)
    window = window_of(values, contrast)
    kind = "even" if window[0] == -window[1] else "zero" if -0.2 < window[0] <= 0 else "other"
    assert expected in (window, kind)


def test_an_empty_volume_has_a_window() -> None:
    low, high = window_of(np.zeros((3, 3, 3)))
    assert low < high
