"""Tests of the losses of susceptibility maps."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from mri_attention.losses import GradientLoss, ModelLoss, QSMLoss
from mri_attention.losses.gradient import rise
from mri_attention.operators import DipoleConvolution

SHAPE, SIZE, OBLIQUE = (8, 7, 6), (1.0, 1.0, 3.0), (0.1, 0.5, 0.8)


def noise(seed: int = 0, shape: tuple[int, ...] = (2, 1, *SHAPE)) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def field_of(chi: Tensor, padding: float = 1.0) -> Tensor:
    return DipoleConvolution(SHAPE, SIZE, OBLIQUE, padding, dtype=torch.float64)(chi)


@pytest.mark.parametrize("padding", [1.0, 2.0])
def test_model_loss_of_the_map_that_made_the_field_is_zero(padding: float) -> None:
    chi = noise()
    assert ModelLoss(padding)(chi, field_of(chi, padding), SIZE, OBLIQUE) < 1e-12
    assert ModelLoss(padding)(chi, field_of(chi, padding)) > 1e-2  # another voxel size and direction


def test_model_loss_is_a_mean_over_the_mask() -> None:
    chi, mask = noise(), (noise(1) > 0).double()
    field = field_of(chi) + 0.3 * mask + 5 * (1 - mask)
    torch.testing.assert_close(ModelLoss()(chi, field, SIZE, OBLIQUE, mask).item(), 0.3)
    assert ModelLoss()(chi, field, SIZE, OBLIQUE, 0 * mask) == 0


def test_model_loss_does_not_see_the_mean() -> None:
    chi = noise()
    torch.testing.assert_close(ModelLoss()(chi + 3, field_of(chi), SIZE, OBLIQUE).item(), 0.0, atol=1e-10, rtol=0)


def test_rise_is_the_sum_over_26_neighbors() -> None:
    x = noise(shape=(4, 5, 3))
    expected = torch.zeros(2, 3, 1, dtype=torch.float64)
    for i, j, k in product(range(2), range(3), range(1)):
        for a, b, c in product((-1, 0, 1), repeat=3):
            if a or b or c:
                step = x[1 + i + a, 1 + j + b, 1 + k + c] - x[1 + i, 1 + j, 1 + k]
                expected[i, j, k] += max(step, 0) / (a * a + b * b + c * c) ** 0.5
    torch.testing.assert_close(rise(x[None, None])[0, 0], expected)


def test_rise_of_a_ramp_is_known() -> None:
    """Nine neighbors lie ahead: one at a distance of 1, four of sqrt(2), four of sqrt(3)."""
    ramp = torch.arange(5.0)[:, None, None].expand(1, 1, 5, 5, 5)
    expected = 1 + 4 / 2**0.5 + 4 / 3**0.5
    torch.testing.assert_close(rise(ramp), torch.full((1, 1, 3, 3, 3), expected))


def test_gradient_loss_does_not_see_the_mean_and_scales() -> None:
    x, y = noise(), noise(1)
    torch.testing.assert_close(GradientLoss()(x + 2, y), GradientLoss()(x, y))
    torch.testing.assert_close(GradientLoss()(3 * x, 3 * y), 3 * GradientLoss()(x, y))


def test_sum_has_the_published_weights() -> None:
    x, y, field = noise(), noise(1), noise(2)
    parts = torch.nn.functional.l1_loss(x, y), ModelLoss()(x, field, SIZE, OBLIQUE), GradientLoss()(x, y)
    total = QSMLoss(susceptibility_std=0.04)(x, y, field, None, SIZE, OBLIQUE)
    torch.testing.assert_close(total, parts[0] / 0.04 + 0.5 * parts[1] + 0.1 * parts[2] / 0.04)
    total = QSMLoss(0.04, field_std=0.01)(x, y, field, None, SIZE, OBLIQUE)
    torch.testing.assert_close(total, parts[0] / 0.04 + 0.5 * parts[1] / 0.01 + 0.1 * parts[2] / 0.04)


def test_it_is_that_of_maps_normalized_by_mean_and_standard_deviation() -> None:
    """What the published code does, for the terms that it normalizes."""
    x, y, mean, std = noise(), noise(1), 0.01, 0.04
    normalized = (x - mean) / std, (y - mean) / std
    expected = torch.nn.functional.l1_loss(*normalized) + 0.1 * GradientLoss()(*normalized)
    torch.testing.assert_close(QSMLoss(std, model_weight=0.0)(x, y), expected)


def test_without_a_measured_field_it_is_that_of_the_truth() -> None:
    x, y = noise(), noise(1)
    options = {"voxel_size": SIZE, "b0_direction": OBLIQUE}
    torch.testing.assert_close(QSMLoss()(x, y, **options), QSMLoss()(x, y, field_of(y), **options))
    assert QSMLoss()(y, y) == 0


def test_gradients_flow_in_half_precision_too() -> None:
    x = noise().bfloat16().requires_grad_()
    QSMLoss()(x, noise(1).float()).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"susceptibility_std": 0.0}, "standard deviations must be positive"),
        ({"field_std": -1.0}, "standard deviations must be positive"),
        ({"model_weight": -1.0}, "weights must not be negative"),
        ({"gradient_weight": -1.0}, "weights must not be negative"),
    ],
)
def test_rejects(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QSMLoss(**options)


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="maps must have the same shape"):
        QSMLoss(model_weight=0)(noise(), torch.cat([noise(), noise(1)], 1))
