"""Tests of operators.field_noise against noise that is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mri_attention.operators import DipoleConvolution, estimate_field_noise, noise_from_magnitude

OBLIQUE = (0.2, 0.5, 0.8)


def white(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def ball(n: int = 40) -> Tensor:
    r = torch.stack(torch.meshgrid(*[torch.arange(n) - n // 2] * 3, indexing="ij")).float()
    return (r.norm(dim=0) < 0.43 * n).float()[None, None]


@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0)], ids=str)
@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), OBLIQUE], ids=str)
def test_white_noise_alone_is_found(size: tuple[float, ...], direction: tuple[float, ...]) -> None:
    mask = ball()
    sigma = estimate_field_noise(0.003 * white(1, 1, 40, 40, 40) * mask, mask, size, direction)
    assert sigma.item() == pytest.approx(0.003, rel=0.1)


@pytest.mark.parametrize("sigma", [0.0003, 0.001, 0.01])
@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), OBLIQUE], ids=str)
def test_texture_and_vessels_are_no_noise(sigma: float, direction: tuple[float, ...]) -> None:
    mask, n = ball(), 40
    smooth = F.avg_pool3d(F.avg_pool3d(white(1, 1, n, n, n, seed=1), 3, 1, 1), 5, 1, 2)
    chi = (0.03 * smooth.sign() + 0.3 * smooth) * mask
    chi[..., 20:22, 20:22, 10:30] = 0.3
    field = DipoleConvolution((n,) * 3, b0_direction=direction)(chi) + sigma * white(1, 1, n, n, n)
    found = estimate_field_noise(field * mask, mask, b0_direction=direction)
    assert found.item() == pytest.approx(sigma, rel=0.1, abs=0.0005)


def test_items_of_a_batch_are_estimated_each() -> None:
    field = white(2, 1, 24, 24, 24) * torch.tensor([0.001, 0.004])[:, None, None, None, None]
    found = estimate_field_noise(field)
    assert found.shape == (2,)
    torch.testing.assert_close(found[1:], estimate_field_noise(field[1:]))
    assert found[1] / found[0] == pytest.approx(4, rel=0.1)


def test_smoothed_noise_is_underestimated_as_the_docs_say() -> None:
    smooth = F.avg_pool3d(white(1, 1, 32, 32, 32), 3, 1, 1)
    assert estimate_field_noise(smooth).item() < 0.3 * smooth.std().item()


def test_a_mask_without_depth_still_has_noise_and_an_empty_one_has_none() -> None:
    mask = torch.zeros(1, 1, 24, 24, 24)
    with pytest.raises(ValueError, match="the mask is empty"):
        estimate_field_noise(white(1, 1, 24, 24, 24), mask)
    mask[..., 10:12] = 1
    assert estimate_field_noise(white(1, 1, 24, 24, 24), mask).item() == pytest.approx(1, rel=0.7)


def test_noise_of_phase_is_that_of_the_signal_over_the_magnitude() -> None:
    b0, echo_times, sigma = 3.0, torch.tensor([0.005, 0.012, 0.02], dtype=torch.float64), 0.02
    generator = torch.Generator().manual_seed(0)
    magnitude = torch.tensor([1.0, 0.8, 0.5], dtype=torch.float64)[:, None, None, None].expand(3, 30, 30, 30)
    noise = sigma * torch.view_as_complex(torch.randn(3, 30, 30, 30, 2, dtype=torch.float64, generator=generator))
    phase = (magnitude + noise).angle()
    radians = 2 * math.pi * 42.577478518 * b0 * echo_times[:, None, None, None]
    one = phase[2] / radians[2]
    assert one.std().item() == pytest.approx(
        noise_from_magnitude(magnitude[2:], sigma, echo_times[2:], b0)[0, 0, 0].item(), rel=0.02
    )
    weights = (magnitude * radians) ** 2
    mean = (weights * phase / radians).sum(0) / weights.sum(0)
    expected = noise_from_magnitude(magnitude, sigma, echo_times, b0)
    assert mean.std().item() == pytest.approx(expected[0, 0, 0].item(), rel=0.02)
    assert torch.isinf(noise_from_magnitude(torch.zeros(1, 2, 2, 2), 1.0, torch.tensor([0.01]), 3.0)).all()
