"""Tests of transforms.fine_contrasts."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError, write_volume
from mri_attention.operators.kspace_truncation import low_resolution_of, zero_fill_kspace
from mri_attention.transforms import LoadFineContrastsd, SlicesLastd, TruncateKspace

AFFINE = np.diag([-0.6, 0.6, 3.0, 1.0])
AFFINE[:3, 3] = 12.0, -7.0, 5.0


def blob(shape: tuple[int, ...], affine: np.ndarray, center: tuple[float, ...] = (5.1, 1.7, 15.0)) -> torch.Tensor:
    """Make a Gaussian of 1.5 mm at a place in the world."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) @ affine[:3, :3].T + affine[:3, 3]
    return torch.from_numpy(np.exp(-np.square(voxels - center).sum(-1) / 4.5)).float()[None]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """T2w of low resolution, made of one of 0.6 mm, and a T1w on a grid of its own."""
    high = MetaTensor(blob((24, 30, 8), AFFINE), affine=torch.from_numpy(AFFINE))
    low = TruncateKspace((2, 2, 1))(high)
    assert isinstance(low, MetaTensor)
    other = np.diag([0.7, 0.7, 0.5, 1.0])
    other[:3, 3] = -8.0, -12.0, 2.0
    paths = [tmp_path / f"sub-01_{name}.nii.gz" for name in ("T2w", "T1w")]
    write_volume(paths[0], low.as_tensor(), low.affine)
    write_volume(paths[1], blob((40, 40, 60), other), other)
    return [str(path) for path in paths]


def load(paths: list[str], scale: int = 2, **options: object) -> MetaTensor:
    image = LoadFineContrastsd("image", ("T2w", "T1w"), "T2w", scale=scale, **options)({"image": paths})["image"]
    assert isinstance(image, MetaTensor)
    return image


def test_both_contrasts_lie_on_the_fine_grid(files: list[str]) -> None:
    image = load(files)
    assert image.shape == (2, 24, 30, 8)
    np.testing.assert_allclose(image.affine.numpy(), AFFINE, atol=1e-6)
    expected = blob((24, 30, 8), AFFINE)
    assert (image[0] - expected[0]).abs().max() < 0.02
    assert (image[1] - expected[0]).abs().max() < 0.1


def test_header_is_that_of_the_fine_grid(files: list[str]) -> None:
    from mri_attention.datasets import header_of

    header = header_of(load(files))
    assert header.get_data_shape() == (24, 30, 8)
    np.testing.assert_allclose(header.get_best_affine(), AFFINE, atol=1e-6)


def test_coarse_guide_is_told(files: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load(files, scale=4)
    assert "pixels of 0.70 mm are coarser than those of the result, 0.30 mm" in caplog.text


def test_axis_can_be_told(files: list[str]) -> None:
    assert load(files, axis=0).shape == (2, 12, 30, 16)


def test_joint_contrasts_are_enlarged_alike(files: list[str]) -> None:
    image = load([files[0], files[0]], is_joint=True)
    torch.testing.assert_close(image[1], image[0], rtol=0, atol=0)
    assert not torch.allclose(load([files[0], files[0]])[1], image[1], atol=1e-3)


def test_rejects_other_scales_and_heads(files: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`scale` .*: is not a whole number above zero"):
        load(files, scale=0)
    away = AFFINE.copy()
    away[:3, 3] = 500
    write_volume(tmp_path / "away_T1w.nii.gz", blob((9, 9, 9), away, (502.0, 502.0, 502.0)), away)
    with pytest.raises(InputError, match="does not overlap with the T2w image"):
        load([files[0], str(tmp_path / "away_T1w.nii.gz")])


def test_slices_are_those_of_the_guide(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sizes = {"T2w": (4.8, 4.0, 5.0), "T1w": (1.2, 1.0, 5.0), "PDw": (1.0, 1.0, 1.0)}
    paths = {name: str(tmp_path / f"sub-01_{name}.nii.gz") for name in sizes}
    for (name, size), shape in zip(sizes.items(), ((5, 6, 4), (20, 24, 4), (20, 24, 20)), strict=True):
        write_volume(paths[name], torch.rand(shape), np.diag([*size, 1]))
    image = load([paths["T2w"], paths["T1w"]], scale=4)
    assert image.shape == (2, 20, 24, 4)
    np.testing.assert_allclose(np.diag(SlicesLastd("image")({"image": image})["image"].affine), (1.2, 1, 5, 1))
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        load([paths["T2w"], paths["PDw"]], scale=4)
    assert "voxels of 4.80 x 4.00 x 5.00 mm, axis 1 is taken for the one across slices" in caplog.text


@pytest.mark.parametrize("n_measured", [96, 64], ids=["as acquired", "interpolated"])
def test_tells_a_reference_that_was_interpolated_before(
    n_measured: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Edges in all directions, of which the scanner measured ``n_measured`` of 96 columns."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 12, 12, 3, generator=generator).repeat_interleave(8, 1).repeat_interleave(8, 2)
    measured = low_resolution_of(coarse, (96, n_measured, 3))
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    paths = [str(tmp_path / f"sub-01_{name}.nii.gz") for name in ("T2w", "T1w")]
    for path in paths:
        write_volume(Path(path), zero_fill_kspace(measured, (96, 96, 3)), affine)
    with caplog.at_level(logging.WARNING):
        load(paths)
    told = [record.getMessage() for record in caplog.records if "interpolated before" in record.getMessage()]
    assert told == [] if n_measured == 96 else "empty beyond 1.00 and 0.69 of the way" in told[0]
    assert len(told) <= 1


@pytest.mark.parametrize("scale", [[2, 2, 1], 1.5, 0])
def test_scales_that_are_no_whole_number_are_refused(scale: object) -> None:
    with pytest.raises(InputError, match=r"`scale` .*: is not a whole number above zero"):
        LoadFineContrastsd("image", ("T2w", "T1w"), "T2w", scale=scale)
