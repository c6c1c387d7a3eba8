"""Tests of transforms.smooth_phase."""

from __future__ import annotations

import math

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.operators import image_to_kspace
from mri_attention.transforms import RandSmoothPhase, RandSmoothPhased


def magnitude(*sizes: int) -> Tensor:
    return torch.rand(1, *sizes, generator=torch.Generator().manual_seed(0)) + 0.1


@pytest.mark.parametrize("sizes", [(16, 12), (9, 8, 7)])
def test_magnitude_stays(sizes: tuple[int, ...]) -> None:
    image = RandSmoothPhase().set_random_state(0)(magnitude(*sizes))
    assert image.dtype == torch.complex64
    torch.testing.assert_close(image.abs(), magnitude(*sizes))


def test_spread_is_that_asked_for_on_average() -> None:
    transform = RandSmoothPhase(60.0).set_random_state(0)
    squares = []
    for _ in range(200):
        transform.randomize(2)
        phase = transform.phase((24, 20))
        squares.append((phase - transform.constant).square().mean())
    assert math.degrees(math.sqrt(sum(squares) / len(squares))) == pytest.approx(60, rel=0.1)


def test_phase_is_smooth() -> None:
    transform = RandSmoothPhase(60.0, order=3).set_random_state(0)
    transform.randomize(2)
    phase = transform.phase((128, 128))
    assert phase.diff(dim=0).abs().max() < 0.2


def test_breaks_the_conjugate_symmetry_of_kspace() -> None:
    def asymmetry(image: Tensor) -> float:
        kspace = image_to_kspace(image)[:, 1:, 1:]  # of an even size: the first has no partner
        return ((kspace - kspace.flip(1, 2).conj()).norm() / kspace.norm()).item()

    assert asymmetry(magnitude(16, 16)) < 1e-6
    assert asymmetry(RandSmoothPhase().set_random_state(0)(magnitude(16, 16))) > 0.3


def test_no_spread_leaves_a_constant_and_prob_0_leaves_the_image() -> None:
    angle = RandSmoothPhase(0.0).set_random_state(0)(magnitude(6, 6)).angle()
    torch.testing.assert_close(angle, angle[:, :1, :1].expand(1, 6, 6))
    out = RandSmoothPhase(prob=0.0)(magnitude(6, 6))
    torch.testing.assert_close(out, magnitude(6, 6).to(torch.complex64))


def test_is_fixed_by_its_seed_and_draws_in_randomize_alone() -> None:
    transform = RandSmoothPhase().set_random_state(1)
    first = transform(magnitude(6, 6))
    assert torch.equal(transform(magnitude(6, 6), randomize=False), first)
    assert not torch.equal(transform(magnitude(6, 6)), first)
    assert torch.equal(RandSmoothPhase().set_random_state(1)(magnitude(6, 6)), first)


def test_affine_is_kept() -> None:
    image = MetaTensor(magnitude(4, 5, 6), affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))
    torch.testing.assert_close(RandSmoothPhase()(image).affine, image.affine)


def test_dictionary_version_gives_every_key_its_own() -> None:
    data = {"a": magnitude(6, 6), "b": magnitude(6, 6)}
    out = RandSmoothPhased(["a", "b"]).set_random_state(2)(data)
    assert not torch.equal(out["a"], out["b"])
    assert torch.equal(RandSmoothPhased(["a", "b"]).set_random_state(2)(data)["b"], out["b"])


def test_rejects_impossible_arguments() -> None:
    with pytest.raises(ValueError, match="spread must not be negative, got -1"):
        RandSmoothPhase(-1)
    with pytest.raises(ValueError, match="order must be at least 1, got 0"):
        RandSmoothPhase(order=0)
