"""Tests of transforms.dipole_field."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

from mri_attention.operators import DipoleConvolution
from mri_attention.transforms import DipoleField, DipoleFieldd

SIZE, TURN = (1.0, 1.0, 3.0), Rotation.from_euler("x", 30, degrees=True).as_matrix()
DIRECTION = TURN.T @ [0, 0, 1]


def oblique_map() -> MetaTensor:
    affine = np.eye(4)
    affine[:3, :3] = TURN @ np.diag(SIZE)
    values = torch.randn(1, 8, 7, 6, generator=torch.Generator().manual_seed(0))
    return MetaTensor(values, affine=torch.from_numpy(affine))


def test_takes_voxel_size_and_direction_from_the_affine_and_keeps_it() -> None:
    chi = oblique_map()
    field = DipoleField()(chi)
    expected = DipoleConvolution((8, 7, 6), SIZE, DIRECTION)(chi.as_tensor()[None])[0]
    torch.testing.assert_close(field.as_tensor(), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(field.affine, chi.affine)


def test_arguments_go_before_the_affine() -> None:
    chi = oblique_map()
    field = DipoleField((1.0, 1.0, 1.0), (0.0, 1.0, 0.0), padding=1.0)(chi)
    expected = DipoleConvolution((8, 7, 6), b0_direction=(0.0, 1.0, 0.0), padding=1.0)(chi.as_tensor()[None])[0]
    torch.testing.assert_close(field.as_tensor(), expected)


def test_dictionary_version_uses_the_direction_of_the_data() -> None:
    chi = oblique_map()
    out = DipoleFieldd("chi", "field")({"chi": chi, "b0_direction": torch.tensor([1.0, 0, 0])})
    expected = DipoleField(b0_direction=(1.0, 0.0, 0.0))(chi)
    torch.testing.assert_close(out["field"].as_tensor(), expected.as_tensor())
    assert out["chi"] is chi


def test_dictionary_version_may_overwrite_and_skip() -> None:
    chi = oblique_map()
    out = DipoleFieldd(["chi", "other"], allow_missing_keys=True)({"chi": chi})
    torch.testing.assert_close(out["chi"].as_tensor(), DipoleField()(chi).as_tensor())


def test_rejects_a_plain_tensor_without_geometry() -> None:
    with pytest.raises(ValueError, match="an image without affine needs both"):
        DipoleField(voxel_size=(1.0, 1.0, 1.0))(torch.zeros(1, 4, 4, 4))


def test_rejects_a_sheared_affine() -> None:
    sheared = MetaTensor(torch.zeros(1, 4, 4, 4), affine=torch.eye(4) + 0.2 * torch.eye(4).roll(1, 1))
    with pytest.raises(ValueError, match="must be at right angles"):
        DipoleField()(sheared)


def test_rejects_another_number_of_outputs() -> None:
    with pytest.raises(ValueError, match="output_keys must be as many as keys"):
        DipoleFieldd(["a", "b"], "field")
