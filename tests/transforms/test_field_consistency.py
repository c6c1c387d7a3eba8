"""Tests of transforms.field_consistency."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.datasets import InputError
from mri_attention.operators import Diagonal, DipoleConvolution, agree_with_field, conjugate_gradient
from mri_attention.transforms import AgreeWithFieldd
from mri_attention.transforms.field_consistency import LEAST_NOISE
from tests.helpers import assert_adjoint, assert_linear

SHAPE, SIZE, OBLIQUE = (15, 14, 10), torch.tensor([1.0, 1.2, 2.0]), torch.tensor([0.0, 0.6, 0.8])
EXACT: dict[str, Any] = {"n_iterations": 400, "tolerance": 1e-12}


def noise(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 1, *SHAPE, dtype=torch.float64, generator=generator)


def dipole() -> DipoleConvolution:
    return DipoleConvolution(SHAPE, SIZE, OBLIQUE, dtype=torch.float64)


@pytest.fixture
def case() -> tuple[Tensor, Tensor, Tensor]:
    """A compact source (ppm), its field, and a mask around it."""
    mask = torch.zeros(1, 1, *SHAPE, dtype=torch.float64)
    mask[..., 2:-2, 3:-2, 2:-1] = 1
    chi = torch.zeros_like(mask)
    chi[..., 6:9, 6:10, 4:6] = 0.1
    return chi, mask * dipole()(chi), mask


def residual(chi: Tensor, field: Tensor, mask: Tensor) -> float:
    return float((mask * (dipole()(chi) - field)).norm())


def test_a_large_weight_returns_the_map(case: tuple[Tensor, Tensor, Tensor]) -> None:
    _, field, mask = case
    chi = 0.05 * noise(0) * mask
    torch.testing.assert_close(agree_with_field(chi, field, mask, SIZE, OBLIQUE, 1e9), chi)
    changed = agree_with_field(chi, field, mask, SIZE, OBLIQUE, 0.1) - chi
    assert changed.norm() > 0.1 * chi.norm()


def test_the_smaller_the_weight_the_closer_to_the_field(case: tuple[Tensor, Tensor, Tensor]) -> None:
    true, field, mask = case
    chi = 0.5 * true + 0.01 * noise(0) * mask
    found = [agree_with_field(chi, field, mask, SIZE, OBLIQUE, w, **EXACT) for w in (1e-1, 1e-2, 1e-5)]
    distances = [residual(x, field, mask) for x in (chi, *found)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.3 * distances[0]  # the rest is explained by sources outside of the mask
    assert (found[-1] - true).norm() < 0.5 * (chi - true).norm()


def test_it_is_the_minimizer_over_maps_that_may_have_sources_outside() -> None:
    """``(D M D + weight) x = D M b + weight chi``, solved as a matrix; what is outside of the mask is left out."""
    shape, n_voxels = (5, 4, 3), 60
    generator = torch.Generator().manual_seed(1)
    chi, field = torch.randn(2, 1, 1, *shape, dtype=torch.float64, generator=generator)
    mask = torch.ones(1, 1, *shape, dtype=torch.float64)
    mask[..., 0, :, :], mask[..., 2] = 0, 0
    convolve = DipoleConvolution(shape, SIZE, OBLIQUE, padding=1.0, dtype=torch.float64)
    columns = convolve(torch.eye(n_voxels, dtype=torch.float64).reshape(n_voxels, 1, *shape)).reshape(n_voxels, -1)
    weights, flat = mask.flatten(), columns.T
    normal = flat.T @ (weights[:, None] * flat) + 0.03 * torch.eye(n_voxels, dtype=torch.float64)
    expected = torch.linalg.solve(normal, flat.T @ (weights * field.flatten()) + 0.03 * (chi * mask).flatten())
    found = agree_with_field(chi, field, mask, SIZE, OBLIQUE, 0.03, padding=1.0, **EXACT)
    torch.testing.assert_close(found.flatten(), weights * expected)


def test_a_source_that_the_mask_lost_spoils_the_map_less_than_were_it_denied(
    case: tuple[Tensor, Tensor, Tensor],
) -> None:
    true, _, mask = case
    lost = torch.zeros_like(true)
    lost[..., 7, 7, 1] = 0.5
    field, support = mask * dipole()(true + lost), Diagonal(mask)
    found = agree_with_field(true, field, mask, SIZE, OBLIQUE, 0.01, **EXACT)
    inside_alone = conjugate_gradient(support @ dipole() @ support, field - mask * dipole()(true), 400, damping=0.01)
    assert (found - true).norm() < 0.6 * inside_alone.norm()


def test_a_map_that_agrees_stays(case: tuple[Tensor, Tensor, Tensor]) -> None:
    true, field, mask = case
    torch.testing.assert_close(agree_with_field(true, field, mask, SIZE, OBLIQUE, 0.01), true)


def test_the_operator_under_the_mask_is_linear_and_has_its_adjoint(case: tuple[Tensor, Tensor, Tensor]) -> None:
    mask = case[2]
    assert_linear(lambda x: mask * dipole()(mask * x), noise(3), noise(4))
    assert_adjoint(lambda x: mask * dipole()(x), lambda y: dipole().adjoint(mask * y), noise(3), noise(4))


def test_sources_do_not_meet_their_periodic_images(case: tuple[Tensor, Tensor, Tensor]) -> None:
    true, everywhere = case[0], torch.ones_like(case[0])
    found = [agree_with_field(true, dipole()(true), everywhere, SIZE, OBLIQUE, 0.01, padding=p) for p in (1.0, 2.0)]
    periodic, padded = ((x - true).norm() / true.norm() for x in found)
    assert periodic > 1e-2
    assert padded < 1e-9


def data(case: tuple[Tensor, Tensor, Tensor]) -> dict[str, Any]:
    chi, field, mask = (t[0].float() for t in case)
    image = MetaTensor(torch.cat([field, chi]), affine=2 * torch.eye(4))
    pred = MetaTensor(0.5 * chi, affine=2 * torch.eye(4))
    return {"pred": pred, "image": image, "mask": mask.byte(), "voxel_size": SIZE, "b0_direction": OBLIQUE}


def test_the_transform_takes_field_and_geometry_of_the_case(case: tuple[Tensor, Tensor, Tensor]) -> None:
    given = data(case)
    out = AgreeWithFieldd(weight=0.02)(given)["pred"]
    expected = agree_with_field(0.5 * case[0].float(), case[1].float(), case[2].float(), SIZE, OBLIQUE, 0.02)
    torch.testing.assert_close(out.as_tensor(), expected[0])
    torch.testing.assert_close(out.affine, given["pred"].affine)
    assert out.dtype == torch.float32
    other = AgreeWithFieldd(weight=0.02)(given | {"b0_direction": torch.tensor([1.0, 0, 0])})["pred"]
    assert (other - out).norm() > 0.1 * out.norm()
    assert torch.equal(given["pred"], 0.5 * case[0][0].float())


@pytest.mark.parametrize(("sigma", "counted"), [(0.002, 0.002), (0.0001, LEAST_NOISE)])
def test_the_weight_is_that_of_the_noise_and_the_maps_error(
    case: tuple[Tensor, Tensor, Tensor], sigma: float, counted: float
) -> None:
    given = data(case)
    told = torch.cat([given["image"], 0 * given["mask"], sigma * given["mask"]])
    out = AgreeWithFieldd(map_error=0.004)(given | {"image": told})["pred"]
    torch.testing.assert_close(out, AgreeWithFieldd(weight=(counted / 0.004) ** 2)(given)["pred"])


def test_where_no_noise_is_told_the_map_stays(case: tuple[Tensor, Tensor, Tensor]) -> None:
    given = data(case)
    assert AgreeWithFieldd(map_error=0.004)(given)["pred"] is given["pred"]


def test_maps_of_half_precision_come_out_of_full(case: tuple[Tensor, Tensor, Tensor]) -> None:
    given = data(case)
    given["pred"] = given["pred"].bfloat16()
    assert AgreeWithFieldd(weight=0.1)(given)["pred"].dtype == torch.float32


def test_without_a_weight_nothing_happens(case: tuple[Tensor, Tensor, Tensor]) -> None:
    given = data(case)
    assert AgreeWithFieldd()(given)["pred"] is given["pred"]


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_weights_must_be_positive(weight: float, case: tuple[Tensor, Tensor, Tensor]) -> None:
    with pytest.raises(InputError, match=r"`data_consistency` .*: must be a positive number"):
        AgreeWithFieldd(weight=weight)
    with pytest.raises(InputError, match=r"`map_error` .*: must be a positive number"):
        AgreeWithFieldd(map_error=weight)
    with pytest.raises(ValueError, match="weight must be positive"):
        agree_with_field(*case, SIZE, OBLIQUE, weight)
