"""Tests of reconstruction from several coils, against dense matrices, one coil and closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import KspaceDataConsistency
from mri_attention.operators import CompressedSensingSolver, image_to_kspace, kspace_to_image
from mri_attention.operators.multi_coil import (
    agree_with_coils,
    coil_operator,
    multi_coil_total_variation,
    total_variation_of_slices,
)
from mri_attention.simulation.coils import wire_sensitivities
from tests.helpers import features

SHAPE = 12, 10
MAPS = wire_sensitivities(SHAPE, n_coils=3)[None].to(torch.complex128)
MASK = (torch.arange(10) % 2 == 0).expand(1, 1, *SHAPE)
ONE = torch.ones(1, 1, *SHAPE, dtype=torch.complex128)


def image() -> Tensor:
    return torch.complex(features(1, 1, *SHAPE), features(1, 1, *SHAPE).flip(-1)).to(torch.complex128)


def matrix() -> Tensor:
    """Return the operator as a matrix, column by column."""
    operator = coil_operator(MAPS, MASK)
    basis = torch.eye(120, dtype=torch.complex128).view(120, 1, 1, *SHAPE)
    return torch.stack([operator(column).flatten() for column in basis], 1)


def test_operator_samples_each_coil() -> None:
    x = image()
    torch.testing.assert_close(coil_operator(MAPS, MASK)(x), image_to_kspace(MAPS * x) * MASK)
    y = features(1, 3, *SHAPE).to(torch.complex128)
    left, right = (
        (coil_operator(MAPS, MASK)(x) * y.conj()).sum(),
        (x * coil_operator(MAPS, MASK).adjoint(y).conj()).sum(),
    )
    torch.testing.assert_close(left, right)


def test_agreement_solves_the_normal_equations() -> None:
    a, x, sigma, tau = matrix(), image(), 0.3, 0.5
    samples = coil_operator(MAPS, MASK)(image().flip(-2)) + features(1, 3, *SHAPE).to(torch.complex128) * MASK
    found = agree_with_coils(x, samples, MAPS, MASK, torch.tensor(sigma), tau, n_iterations=200)
    left = a.mH @ a / sigma**2 + torch.eye(120) / tau**2
    right = a.mH @ samples.flatten() / sigma**2 + x.flatten() / tau**2
    torch.testing.assert_close(found.flatten(), torch.linalg.solve(left, right), rtol=1e-5, atol=1e-5)


def test_agreement_of_one_coil_is_data_consistency() -> None:
    x, sigma, tau = image(), 0.2, 0.1
    measured = image_to_kspace(image().flip(-1)) * MASK
    found = agree_with_coils(x, measured, ONE, MASK, torch.tensor(sigma), tau, n_iterations=50)
    block = KspaceDataConsistency(None, tau).double()
    expected = block(image_to_kspace(x), measured, MASK, torch.tensor(sigma, dtype=torch.float64))
    torch.testing.assert_close(image_to_kspace(found), expected, rtol=1e-5, atol=1e-5)


def test_without_noise_samples_are_kept_and_a_true_image_stays() -> None:
    true = image()
    samples = coil_operator(MAPS, MASK)(true)
    found = agree_with_coils(torch.zeros_like(true), samples, MAPS, MASK, n_iterations=200)
    torch.testing.assert_close(coil_operator(MAPS, MASK)(found), samples, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(agree_with_coils(true, samples, MAPS, MASK, torch.tensor(0.1)), true)
    with pytest.raises(ValueError, match="error must be positive"):
        agree_with_coils(true, samples, MAPS, MASK, error=0)


def test_three_coils_tell_what_half_of_k_space_does_not() -> None:
    """The system of equations of these coils has full rank, so that even no total variation finds the image."""
    assert torch.linalg.matrix_rank(matrix()) == 120
    true = image()
    samples = coil_operator(MAPS, MASK)(true)
    found = multi_coil_total_variation(samples, MAPS, MASK, n_iterations=400, weight=1e-6)
    torch.testing.assert_close(found, true, rtol=0.02, atol=0.02)


def test_total_variation_of_one_coil_is_that_of_compressed_sensing() -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 10), indexing="ij")
    disk = (y.hypot(x) < 0.7).to(torch.complex128)[None, None] * 1j
    samples = image_to_kspace(disk) * MASK
    noise = torch.full((1, 1, 1, 1), 0.1, dtype=torch.float64)
    expected = kspace_to_image(CompressedSensingSolver(n_iterations=2000)(samples, MASK, noise))
    found = multi_coil_total_variation(samples, ONE, MASK, noise, n_iterations=800)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_each_item_of_a_batch_has_its_own_noise() -> None:
    samples = coil_operator(MAPS, MASK)(torch.cat([image(), image().flip(-1), image().flip(-2)]))
    noise = torch.tensor([0.0, 0.3, 0.1], dtype=torch.float64).view(3, 1, 1, 1)
    together = multi_coil_total_variation(samples, MAPS.expand(3, -1, -1, -1), MASK, noise)
    for i in range(3):
        alone = multi_coil_total_variation(samples[i : i + 1], MAPS, MASK, noise[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("weight", [None, 0.02])
def test_slices_are_solved_one_after_the_other(weight: float | None) -> None:
    samples = coil_operator(MAPS, MASK)(torch.cat([image(), image().flip(-1)]))
    noise, steps = torch.tensor([0.1, 0.3], dtype=torch.float64), []
    together = multi_coil_total_variation(
        samples, MAPS.expand(2, -1, -1, -1), MASK, noise.view(2, 1, 1, 1), weight=weight
    )
    found = total_variation_of_slices(
        samples.movedim(0, 1),
        MAPS[0][:, None].expand(-1, 2, -1, -1),
        MASK.reshape(1, 1, *MASK.shape[-2:]),
        noise.view(1, 2, 1, 1),
        weight,
        solved=lambda done, total: steps.append((done, total)),
    )
    torch.testing.assert_close(found[0, :, None], together, rtol=1e-4, atol=1e-4)
    assert steps == [(1, 2), (2, 2)]
