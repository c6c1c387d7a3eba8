"""Non-local means: a literal reference, limits, symmetries."""

from __future__ import annotations

import importlib
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mri_attention.operators import non_local_means
from tests.helpers import features

MODULE = importlib.import_module("mri_attention.operators.non_local_means")  # the package has the function's name


def literal(image: Tensor, strength: Tensor, search_radius: int, patch_radius: int) -> Tensor:
    """The equation of the docstring, voxel by voxel."""
    margin = search_radius + patch_radius
    padded = F.pad(image[None, None], [margin] * (2 * image.ndim), mode="replicate")[0, 0]

    def patch(place: list[int]) -> Tensor:
        return padded[tuple(slice(p - patch_radius, p + patch_radius + 1) for p in place)]

    result = torch.empty_like(image)
    for voxel in product(*map(range, image.shape)):
        place = [v + margin for v in voxel]
        values, weights = [], []
        for offset in product(range(-search_radius, search_radius + 1), repeat=image.ndim):
            if any(offset):
                other = [p + o for p, o in zip(place, offset, strict=True)]
                distance = (patch(place) - patch(other)).square().mean()
                weights.append(torch.exp(-distance / strength[voxel] ** 2))
                values.append(padded[tuple(other)])
        weights, values = [*weights, max(weights)], [*values, image[voxel]]
        result[voxel] = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    return result


@pytest.mark.parametrize("chunk", [50, 2**17])
@pytest.mark.parametrize(
    ("shape", "search_radius", "patch_radius"),
    [((5, 4, 6), 1, 1), ((4, 3, 3), 2, 0), ((7, 6), 3, 2), ((9,), 2, 1)],
    ids=str,
)
def test_is_the_literal_equation(
    shape: tuple[int, ...], search_radius: int, patch_radius: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "CHUNK", chunk)
    image, strength = features(*shape).double(), 0.2 + features(*shape).double().abs().flip(0)
    expected = literal(image, strength, search_radius, patch_radius)
    torch.testing.assert_close(non_local_means(image, strength, search_radius, patch_radius), expected)


def test_single_precision_is_close_to_double() -> None:
    image, strength = 256 * features(12, 10, 11).abs(), 30 + 50 * features(12, 10, 11).abs().flip(0)
    expected = non_local_means(image.double(), strength.double())
    torch.testing.assert_close(non_local_means(image, strength).double(), expected, rtol=0, atol=2e-3)


def test_keeps_constants_and_what_is_like_nothing_else() -> None:
    constant = torch.full((5, 4, 6), 37.5)
    for strength in (0.0, 1e-30, 10.0):
        torch.testing.assert_close(non_local_means(constant, torch.full_like(constant, strength)), constant)
    image = features(5, 4, 6)
    torch.testing.assert_close(non_local_means(image, torch.zeros_like(image)), image)


def test_without_a_limit_of_likeness_it_is_the_mean_of_the_window() -> None:
    image = features(6, 5, 4)
    expected = F.avg_pool3d(F.pad(image[None, None], [1] * 6, mode="replicate"), 3, 1)[0, 0]
    torch.testing.assert_close(non_local_means(image, torch.full_like(image, 1e6), search_radius=1), expected)


def test_commutes_with_mirrors_and_leaves_its_input_alone() -> None:
    image, strength = features(6, 5, 7), features(6, 5, 7).abs().flip(1)
    before = image.clone(), strength.clone()
    result = non_local_means(image, strength)
    assert torch.equal(image, before[0])
    assert torch.equal(strength, before[1])
    for axis in range(3):
        torch.testing.assert_close(non_local_means(image.flip(axis), strength.flip(axis)), result.flip(axis))
