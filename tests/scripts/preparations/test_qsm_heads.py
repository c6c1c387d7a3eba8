"""Tests of scripts.preparations.qsm_heads."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from mri_attention.datasets.input_error import InputError
from mri_attention.scripts.preparations.qsm_heads import draw_head
from mri_attention.scripts.preparations.qsm_labels import prepare_qsm_labels
from mri_attention.simulation.field_protocol import SPACING

SHAPE = (44, 40, 36)
B0 = (0.0, 0.0, 1.0)


def write(folder: Path, values: np.ndarray, suffix: str = "dseg", shift: float = 0.0) -> Path:
    affine = np.eye(4)
    affine[0, 3] = shift
    path = folder / f"sub-a_{suffix}.nii.gz"
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


def labels() -> np.ndarray:
    """White matter (2) in a shell of cortex (3) in a shell of fluid (24), with two ventricles (4, 43)."""
    radius = np.linalg.norm(np.indices(SHAPE) - (np.array(SHAPE) - 1)[:, None, None, None] / 2, axis=0)
    values = np.zeros(SHAPE, np.uint8)
    for limit, label in ((16, 3), (12, 2)):
        values[radius < limit] = label
    values[16:20, 15:25, 15:20], values[24:28, 15:25, 15:20] = 4, 43
    return values


def draw(path: Path, spacing: float | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chi, brain, affine, _ = draw_head(path, B0, spacing, np.random.default_rng(seed))
    return chi, brain, affine


def test_without_a_spacing_the_grid_is_that_of_the_labels(tmp_path: Path) -> None:
    path = write(tmp_path, labels())
    chi, brain, affine = draw(path)
    np.testing.assert_array_equal(affine, np.eye(4))
    assert brain.sum() == pytest.approx((labels() > 0).sum(), rel=0.1)
    assert not chi[~brain].any()
    for first, again in zip(draw(path), draw(path), strict=True):
        np.testing.assert_array_equal(first, again)


def test_with_a_spacing_the_head_keeps_its_size(tmp_path: Path) -> None:
    _, brain, affine = draw(write(tmp_path, labels()), 0.8)
    np.testing.assert_allclose(np.diag(affine)[:3], 0.8)
    assert brain.shape[2] % 6 == 0
    assert brain.sum() * 0.8**3 == pytest.approx((labels() > 0).sum(), rel=0.25)


def test_without_texture_cortex_is_even(tmp_path: Path) -> None:
    path = write(tmp_path, labels())
    spreads = []
    for texture in (0.0, 1.0):
        chi, _, _, regions = draw_head(path, B0, None, np.random.default_rng(1), texture)
        cortex = regions.labels == next(label for label, name in regions.names.items() if name == "gray_matter")
        spreads.append(np.subtract(*np.percentile(chi[ndimage.binary_erosion(cortex)], (75, 25))))
    assert spreads[0] < 0.1 * spreads[1]


def test_white_matter_is_more_diamagnetic_than_cortex(tmp_path: Path) -> None:
    chi, _, regions = (draw_head(write(tmp_path, labels()), B0, 1.0, np.random.default_rng(1))[i] for i in (0, 1, 3))
    numbers = {name: number for number, name in regions.names.items()}
    white, gray = (np.median(chi[regions.labels == numbers[name]]) for name in ("white_matter", "gray_matter"))
    assert white < gray - 0.01


def test_an_image_beside_the_labels_lends_its_texture(tmp_path: Path) -> None:
    path = write(tmp_path, labels())
    without = draw(path)[0]
    image = np.random.default_rng(5).normal(500, 50, SHAPE).astype(np.float32)
    write(tmp_path, image, "T1w")
    chi, _, _ = draw(path)
    image = np.pad(image, [(2, 2), (4, 4), (6, 6)])  # as the labels are cropped
    white = np.linalg.norm(np.indices(chi.shape) - np.array([23, 24, 32])[:, None, None, None], axis=0) < 5
    assert abs(np.corrcoef(chi[white], image[white])[0, 1]) > 0.4
    assert abs(np.corrcoef(without[white], image[white])[0, 1]) < 0.2


def test_an_image_on_another_grid_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, labels())
    write(tmp_path, np.random.default_rng(5).normal(500, 50, SHAPE).astype(np.float32), "T2w", shift=3.0)
    with pytest.raises(InputError, match=r"sub-a_T2w\.nii\.gz: is not on the grid of sub-a_dseg"):
        draw(path)


def test_maps_of_fluid_gray_and_white_matter_can_be_used(tmp_path: Path) -> None:
    values = np.select([labels() == 2, labels() == 3, labels() > 3], [3, 2, 1]).astype(np.uint8)
    values[:, :, 0] = 1
    regions = draw_head(write(tmp_path, values), B0, None, np.random.default_rng(0))[3]
    numbers = {name: number for number, name in regions.names.items()}
    for label, name in ((3, "white_matter"), (2, "gray_matter")):
        assert (regions.labels == numbers[name]).sum() == (values == label).sum()


def test_varied_subjects_differ_in_voxel_size_and_are_reproducible(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "labels" / name).mkdir(parents=True)
        source = write(tmp_path / "labels" / name, labels())
        source.rename(source.with_name(f"sub-{name}_dseg.nii.gz"))
    for output in ("one", "two"):
        prepare_qsm_labels(tmp_path / "labels", tmp_path / output, seed=4)
    maps = [sorted((tmp_path / output).rglob("*_Chimap.nii.gz")) for output in ("one", "two")]
    sizes = [nib.load(path).header.get_zooms()[0] for path in maps[0]]
    assert sizes[0] != sizes[1]
    assert all(SPACING[0] - 0.01 <= size <= SPACING[1] + 0.01 for size in sizes)
    for first, second in zip(*maps, strict=True):
        np.testing.assert_array_equal(nib.load(first).get_fdata(), nib.load(second).get_fdata())
