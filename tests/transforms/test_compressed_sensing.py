"""Tests of filling k-space by compressed sensing."""

import math
from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.operators import CompressedSensingSolver, Gradient, image_to_kspace, kspace_to_image
from mri_attention.operators.compressed_sensing import FILLING_ERROR, SLOPE, _squared_differences
from mri_attention.transforms import CompressedSensingKspaced
from mri_attention.transforms.masks import mask_by_name
from tests.helpers import features


def phantom() -> Tensor:
    """Return a piecewise constant image with a smooth phase, two slices of odd sizes."""
    image = torch.zeros(1, 2, 45, 38, dtype=torch.complex128)
    image[..., 8:38, 8:30] = 1
    image[..., 20:30, 12:20] = 0.4
    image[:, 1] = image[:, 1].roll(3, -1)
    return image * torch.polar(
        torch.ones(45, 1, dtype=torch.float64), torch.linspace(0, 1, 45, dtype=torch.float64)[:, None]
    )


def acquisition(name: str = "gaussian") -> tuple[Tensor, Tensor]:
    mask = mask_by_name(name, 3)
    mask.set_random_state(0)
    sampled = mask((1, 1, 45, 38)).expand(1, 1, 45, 38)
    return image_to_kspace(phantom()) * sampled, sampled


def objective(image: Tensor, kspace: Tensor, mask: Tensor, weight: float) -> float:
    """Evaluate what is to be minimized, written anew."""
    misfit = (image_to_kspace(image) * mask - kspace).abs().square().sum() / 2
    steps = [torch.cat([image.narrow(a, 1, image.shape[a] - 1), image.narrow(a, 0, 1)], a) - image for a in (-2, -1)]
    return float(misfit + weight * torch.sqrt(sum(step.abs().square() for step in steps)).sum())


def test_gradient_agrees_with_its_spectrum() -> None:
    x = torch.complex(features(1, 7, 6, dtype=torch.float64), features(1, 6, 7, dtype=torch.float64).mT)
    expected = torch.fft.ifft2(_squared_differences(x) * torch.fft.fft2(x))
    torch.testing.assert_close(Gradient((-2, -1)).gram(x), expected)


def test_result_has_the_least_objective() -> None:
    kspace, sampled = acquisition()
    solver = CompressedSensingSolver(weight=0.01, n_iterations=1000)
    best = kspace_to_image(solver(kspace, sampled))
    least = objective(best, kspace, sampled, 0.01)
    assert least < objective(kspace_to_image(kspace), kspace, sampled, 0.01)
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        change = torch.randn(best.shape, generator=generator, dtype=best.dtype)
        for size in (1e-2, 1e-3):
            assert objective(best + size * change, kspace, sampled, 0.01) > least
    assert objective(1.001 * best, kspace, sampled, 0.01) > least
    assert objective(0.999 * best, kspace, sampled, 0.01) > least


def test_penalty_changes_the_speed_alone() -> None:
    kspace, sampled = acquisition()
    results = [CompressedSensingSolver(n_iterations=400, penalty=penalty)(kspace, sampled) for penalty in (0.05, 0.1)]
    assert (results[0] - results[1]).abs().max() < 1e-3 * results[0].abs().max()


def test_finds_a_piecewise_constant_image() -> None:
    kspace, sampled = acquisition()
    filled = kspace_to_image(CompressedSensingSolver(weight=0.002, n_iterations=200)(kspace, sampled))
    error, zero_filled = ((image - phantom()).abs().square().mean() for image in (filled, kspace_to_image(kspace)))
    assert error < 0.1 * zero_filled


def test_slices_do_not_see_each_other() -> None:
    kspace, sampled = acquisition()
    both = CompressedSensingSolver()(kspace, sampled)
    torch.testing.assert_close(CompressedSensingSolver()(kspace[:, :1], sampled), both[:, :1])


def test_samples_are_kept_where_asked_for() -> None:
    kspace, sampled = acquisition("random")
    where = sampled.expand_as(kspace)
    kept = CompressedSensingSolver(keep_samples=True)(kspace, sampled)
    torch.testing.assert_close(kept[where], kspace[where], rtol=0, atol=0)
    free = CompressedSensingSolver()(kspace, sampled)
    torch.testing.assert_close(kept[~where], free[~where], rtol=0, atol=0)
    assert not torch.equal(free[where], kspace[where])


def test_weight_follows_from_the_noise_of_each_slice() -> None:
    kspace, sampled = acquisition()
    noise = torch.tensor([0.0, 0.05], dtype=torch.float64)[None, :, None, None]
    found = CompressedSensingSolver(n_iterations=5)(kspace, sampled, noise)
    for i, weight in enumerate([0.004, math.hypot(0.004, SLOPE * 0.05)]):
        expected = CompressedSensingSolver(weight, n_iterations=5)(kspace[:, i : i + 1], sampled)
        torch.testing.assert_close(found[:, i : i + 1], expected)
    given = CompressedSensingSolver(0.01, n_iterations=5)
    torch.testing.assert_close(given(kspace, sampled, noise), given(kspace, sampled), rtol=0, atol=0)


def test_samples_are_kept_as_far_as_they_are_less_noisy_than_what_is_found() -> None:
    kspace, sampled = acquisition("random")
    where, noise = sampled.expand_as(kspace), torch.full((1, 2, 1, 1), 3 * FILLING_ERROR, dtype=torch.float64)
    kept, free = (
        CompressedSensingSolver(n_iterations=5, keep_samples=bool(k))(kspace, sampled, noise) for k in (True, False)
    )
    torch.testing.assert_close(kept[where], 0.1 * kspace[where] + 0.9 * free[where])
    torch.testing.assert_close(kept[~where], free[~where], rtol=0, atol=0)


def test_without_a_mask_samples_are_what_is_not_zero() -> None:
    _, sampled = acquisition()
    values = torch.randn(1, 2, 45, 38, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    kspace = values * sampled  # no sample is zero by itself, as one of a phantom may be in a processor's arithmetic
    assert torch.equal(kspace != 0, sampled.expand_as(kspace))
    torch.testing.assert_close(CompressedSensingSolver()(kspace), CompressedSensingSolver()(kspace, sampled))


def test_a_measured_zero_is_kept_with_the_mask_alone() -> None:
    kspace, sampled = acquisition()
    kspace[..., 22, 19] = 0  # the center, which is sampled
    assert sampled[..., 22, 19].all()
    solver = CompressedSensingSolver(keep_samples=True)
    assert (solver(kspace, sampled)[..., 22, 19] == 0).all()
    assert (solver(kspace)[..., 22, 19] != 0).all()


def test_dictionary_version_fills_in_place_and_keeps_metadata() -> None:
    kspace, sampled = acquisition()
    image = MetaTensor(kspace, affine=torch.diag(torch.tensor([1.0, 2.0, 3.0, 1.0])))
    data = {"image": image, "sampled": sampled}
    out = CompressedSensingKspaced(keys="image", n_iterations=5)(data)
    assert isinstance(out["image"], MetaTensor)
    torch.testing.assert_close(out["image"].affine, image.affine)
    expected = CompressedSensingSolver(n_iterations=5)(kspace, sampled)
    torch.testing.assert_close(out["image"].as_tensor(), expected, rtol=0, atol=0)
    torch.testing.assert_close(data["image"].as_tensor(), kspace, rtol=0, atol=0)
    off = CompressedSensingKspaced(keys="image", is_enabled=False)(data)
    assert off["image"] is image
    noise = torch.full((1, 1, 1, 1), 0.1, dtype=torch.float64)
    options = {"keys": "image", "measured_key": "measured"}
    for is_enabled in (True, False):
        out = CompressedSensingKspaced(n_iterations=5, is_enabled=is_enabled, **options)(data | {"kspace_noise": noise})
        torch.testing.assert_close(out["measured"].as_tensor(), kspace, rtol=0, atol=0)
        expected = CompressedSensingSolver(n_iterations=5)(kspace, sampled, noise) if is_enabled else kspace
        torch.testing.assert_close(out["image"].as_tensor(), expected, rtol=0, atol=0)


@pytest.mark.parametrize("options", [{"weight": 0.0}, {"n_iterations": 0}, {"penalty": -1.0}, {"weight": -math.inf}])
def test_rejects_what_is_not_positive(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="arguments must be positive"):
        CompressedSensingSolver(**options)
