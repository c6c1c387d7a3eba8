"""Tests of transforms.kspace_grid."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.datasets import InputError, Kspace
from mri_attention.transforms.kspace_grid import kspace_on_grid

FILE = Path("a.h5")
FIELDS = {"recon_matrix": (32, 32), "voxel_size": (1.0, 1.0, 3.0), "encoded_field_of_view": (32.0, 32.0)}


def kspace(n_slices: int = 3, size: int = 24, **attributes: Any) -> Kspace:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(n_slices, 1, size, size)) + 1j
    return Kspace(data.astype(np.complex64), np.ones((n_slices, 1, 1, size), bool), attributes)


def grid(shape: tuple[int, ...], voxel_size: tuple[float, ...] = (1, 1, 3)) -> MetaTensor:
    affine = torch.diag(torch.tensor([*voxel_size, 1.0], dtype=torch.float64))
    return MetaTensor(torch.zeros(1, *shape), affine=affine, meta={"filename_or_obj": "T1w.nii.gz"})


def test_grid_of_the_reconstruction_gets_its_pixels() -> None:
    assert kspace_on_grid(FILE, kspace(**FIELDS), grid((32, 32, 3))).data.shape == (3, 1, 32, 32)


def test_grid_of_the_encoded_matrix_gets_k_space_as_it_is() -> None:
    given = kspace(**FIELDS)
    assert kspace_on_grid(FILE, given, grid((24, 24, 3))) is given


@pytest.mark.parametrize(("shape", "told"), [((32, 32, 4), "32 x 32 x 3"), ((20, 32, 3), "32 x 32 x 3")])
def test_other_grids_are_refused(shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(InputError, match=rf"its images have {told} voxels, T1w.nii.gz has .*as `reference`"):
        kspace_on_grid(FILE, kspace(**FIELDS), grid(shape))


def test_reconstruction_beyond_the_field_of_view_is_refused() -> None:
    beyond = kspace(**FIELDS | {"recon_matrix": (40, 32)})
    with pytest.raises(InputError, match="its images have 32 x 32 x 3 voxels"):
        kspace_on_grid(FILE, beyond, grid((32, 40, 3)))


def test_other_voxel_sizes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        kspace_on_grid(FILE, kspace(**FIELDS), grid((32, 32, 3)))
        assert not caplog.text
        kspace_on_grid(FILE, kspace(**FIELDS), grid((32, 32, 3), (0.5, 1, 3)))
    assert "pixels of 1 x 1 mm, but T1w.nii.gz has 0.5 x 1 mm" in caplog.text


@pytest.mark.parametrize(
    ("places", "order"),
    [((0, 3, 6, 9), None), ((9, 6, 3, 0), None), ((0, 6, 3, 9), [0, 2, 1, 3]), ((3, 9, 0, 6), [2, 0, 3, 1])],
)
def test_slices_numbered_as_acquired_are_sorted(
    places: tuple[float, ...], order: list[int] | None, caplog: pytest.LogCaptureFixture
) -> None:
    given = kspace(4, slice_positions=np.array([[5.0, -5, place] for place in places]))
    with caplog.at_level(logging.WARNING):
        found = kspace_on_grid(FILE, given, grid((24, 24, 4)))
    np.testing.assert_array_equal(found.data, given.data if order is None else given.data[order])
    assert ("numbered in another order" in caplog.text) == (order is not None)
