"""Tests of the data-consistency block."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import DipoleDataConsistency
from mri_attention.operators import DipoleConvolution, dipole_kernel
from tests.helpers import assert_gradients_flow

SHAPE, SIZE, OBLIQUE = (8, 7, 6), (1.0, 1.0, 2.0), (0.3, 0.1, 0.8)
KERNEL = dipole_kernel(SHAPE, SIZE, OBLIQUE, dtype=torch.float64)


def noise(seed: int = 0) -> Tensor:
    return torch.randn(2, 1, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def field_of(chi: Tensor) -> Tensor:
    return DipoleConvolution(SHAPE, SIZE, OBLIQUE, 1.0, dtype=torch.float64)(chi)


def consistent(weight: float, mask: Tensor | None = None) -> Tensor:
    return DipoleDataConsistency(weight).double()(noise(), field_of(noise(1)), KERNEL, mask)


def test_is_the_closed_form() -> None:
    b, chi = torch.fft.fftn(field_of(noise(1)), dim=(-3, -2, -1)), torch.fft.fftn(noise(), dim=(-3, -2, -1))
    expected = torch.fft.ifftn((KERNEL * b + 0.2 * chi) / (KERNEL**2 + 0.2), dim=(-3, -2, -1)).real
    torch.testing.assert_close(consistent(0.2), expected, atol=1e-7, rtol=0)


def test_with_all_the_weight_it_returns_the_map() -> None:
    torch.testing.assert_close(consistent(1e9), noise(), atol=1e-8, rtol=0)


def test_without_weight_it_has_the_measured_field() -> None:
    torch.testing.assert_close(field_of(consistent(1e-12)), field_of(noise(1)), atol=1e-5, rtol=0)


def test_keeps_a_map_that_already_agrees() -> None:
    chi = noise(1)
    found = DipoleDataConsistency(0.1).double()(chi, field_of(chi), KERNEL)
    torch.testing.assert_close(found, chi, atol=1e-12, rtol=0)


def test_what_is_not_measured_does_not_count() -> None:
    mask = (noise(2) > 0).double()
    block, field = DipoleDataConsistency(0.1).double(), field_of(noise(1))
    torch.testing.assert_close(
        block(noise(), field * mask, KERNEL, mask), block(noise(), field + 9 * (1 - mask), KERNEL, mask)
    )


def test_error_can_only_fall() -> None:
    """For noiseless fields each spectral error is multiplied by weight / (D^2 + weight), at most 1."""
    before, after = (noise() - noise(1)).norm(), (consistent(0.1) - noise(1)).norm()
    assert after < 0.9 * before


def test_weight_is_learned_unless_told_not_to() -> None:
    assert_gradients_flow(DipoleDataConsistency().double(), noise(), noise(1), KERNEL)
    assert not DipoleDataConsistency(is_learned=False).log_weight.requires_grad


def test_rejects_no_weight() -> None:
    with pytest.raises(ValueError, match="weight must be positive, got 0"):
        DipoleDataConsistency(0.0)
