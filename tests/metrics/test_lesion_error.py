"""Tests of metrics.lesion_error."""

from __future__ import annotations

import math

import pytest
import torch

from mri_attention.metrics import LesionError

REFERENCE = torch.zeros(1, 1, 6, 6, 6)
REFERENCE[..., 1:5, 1:5, 1:5] = 2.0
LESIONS = torch.zeros_like(REFERENCE)
LESIONS[..., 2, 2, 2:4] = 1
TRUTH = torch.cat([REFERENCE, LESIONS], 1)


def value(prediction: torch.Tensor, truth: torch.Tensor = TRUTH, **options: object) -> float:
    return LesionError(**options)(prediction, truth).item()  # type: ignore[arg-type]


def test_error_inside_and_outside_are_apart() -> None:
    painted = REFERENCE - 0.5 * LESIONS
    assert value(painted) == pytest.approx(0.25)
    assert value(painted, measure="mean") == pytest.approx(-0.25)
    assert value(painted, where="outside") == 0
    outside = REFERENCE + 0.5 * (1 - LESIONS)
    assert value(outside) == 0
    assert value(outside, where="outside") == pytest.approx(0.25)


def test_measures_are_those_of_their_definitions() -> None:
    painted = REFERENCE - 0.5 * LESIONS
    assert value(painted, measure="nmse") == pytest.approx(0.25**2)
    assert value(painted, measure="psnr") == pytest.approx(20 * math.log10(4))
    assert math.isinf(value(REFERENCE, measure="psnr"))


def test_the_ring_is_tissue_within_two_voxels() -> None:
    far = torch.zeros_like(REFERENCE)
    far[..., 4, 4, 4] = 1
    assert value(REFERENCE + far, where="ring") == 0
    assert value(REFERENCE + far, where="outside") > 0
    near = torch.zeros_like(REFERENCE)
    near[..., 3, 3, 3] = 0.5
    assert value(REFERENCE + near, where="ring", measure="mean") > 0
    assert value(REFERENCE + (REFERENCE == 0), where="ring") == 0


def test_contrast_tells_how_much_of_a_lesion_is_left() -> None:
    bright = REFERENCE + LESIONS
    truth = torch.cat([bright, LESIONS], 1)
    assert value(bright, truth, measure="contrast") == pytest.approx(1)
    assert value(REFERENCE, truth, measure="contrast") == pytest.approx(0)
    assert value(3 * REFERENCE + 0.25 * LESIONS, truth, measure="contrast") == pytest.approx(0.25)


def test_background_counts_nowhere() -> None:
    assert value(REFERENCE + (REFERENCE == 0), where="outside") == 0


@pytest.mark.parametrize("truth", [REFERENCE, torch.cat([REFERENCE, 0 * LESIONS], 1)])
def test_undefined_without_lesions(truth: torch.Tensor) -> None:
    assert math.isnan(value(REFERENCE, truth))


def test_rejects_other_places_and_shapes() -> None:
    with pytest.raises(ValueError, match="where must be"):
        LesionError("beside")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="measure must be"):
        LesionError(measure="l1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images must have shapes"):
        LesionError()(REFERENCE, TRUTH[..., 1:])
