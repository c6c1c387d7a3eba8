"""Tests of transforms.undersampling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from monai.data import MetaTensor
from monai.networks.blocks.fft_utils_t import fftn_centered_t, ifftn_centered_t
from monai.transforms import Compose
from torch import Tensor

from mri_attention.operators import image_to_kspace, kspace_to_image, shift_mask, undersample_image, undersampling
from mri_attention.transforms import UndersampleKspace, UndersampleKspaced
from mri_attention.transforms.masks import KspaceMask, RadialMask, RandomMask
from tests.helpers import assert_adjoint, assert_linear

MASKS: list[Callable[[], KspaceMask]] = [lambda: RandomMask(3), lambda: RadialMask(4)]


def complex_noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


@pytest.mark.parametrize("make", MASKS)
@pytest.mark.parametrize("shape", [(2, 8, 10), (1, 7, 9), (3, 8, 7)])
def test_short_way_equals_the_long_way_and_monais(make: Callable[[], KspaceMask], shape: tuple[int, ...]) -> None:
    image, mask = complex_noise(*shape), make().set_random_state(0)(shape)
    found = undersample_image(image, mask)
    torch.testing.assert_close(found, kspace_to_image(mask * image_to_kspace(image)))
    torch.testing.assert_close(undersample_image(image, shift_mask(mask), is_shifted=True), found)
    theirs = ifftn_centered_t(fftn_centered_t(torch.view_as_real(image), 2) * mask[..., None], 2)
    torch.testing.assert_close(found, torch.view_as_complex(theirs))


@pytest.mark.parametrize("make", MASKS)
def test_short_way_is_a_projection(make: Callable[[], KspaceMask]) -> None:
    x, y = complex_noise(2, 9, 10), complex_noise(2, 9, 10, seed=1)
    mask = make().set_random_state(1)((2, 9, 10))

    def operator(t: Tensor) -> Tensor:
        return undersample_image(t, mask)

    assert_linear(operator, x, y)
    assert_adjoint(operator, operator, x, y)
    torch.testing.assert_close(operator(operator(x)), operator(x))


def test_short_way_takes_masks_that_are_constant_or_differ_by_slice() -> None:
    image = complex_noise(1, 6, 8, 4)
    torch.testing.assert_close(undersample_image(image, torch.ones(1, 1, 1, 1, dtype=torch.bool), (1, 2)), image)
    mask = RandomMask(2, axes=(1, 2), slice_axis=3).set_random_state(0)(image.shape)
    expected = kspace_to_image(mask * image_to_kspace(image, (1, 2)), (1, 2))
    torch.testing.assert_close(undersample_image(image, mask, (1, 2)), expected)


@pytest.mark.parametrize("n_bytes", [1, 2 * 8 * 10 * 16, 10**6])
@pytest.mark.parametrize("slice_axis", [None, 0])
def test_images_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch, n_bytes: int, slice_axis: int | None) -> None:
    monkeypatch.setattr(undersampling, "CHUNK_BYTES", n_bytes)
    mask = RadialMask(4, slice_axis=slice_axis).set_random_state(0)((5, 8, 10))
    for image in (complex_noise(5, 8, 10), complex_noise(5, 8, 10).real, MetaTensor(complex_noise(5, 8, 10))):
        found = undersample_image(image, mask)
        assert type(found) is type(image)
        torch.testing.assert_close(found, kspace_to_image(mask * image_to_kspace(image)))


def test_gradient_is_the_adjoint() -> None:
    image = complex_noise(1, 6, 8).requires_grad_()
    mask = RandomMask(2).set_random_state(0)(image.shape)
    assert torch.autograd.gradcheck(lambda t: undersample_image(t, mask), image)


@pytest.mark.parametrize("source", ["image", "kspace"])
@pytest.mark.parametrize("target", ["image", "kspace"])
def test_all_ways_give_the_same(source: str, target: str) -> None:
    image = complex_noise(2, 12, 15)
    given = image if source == "image" else image_to_kspace(image)
    transform = UndersampleKspace(RandomMask(3), source, target).set_random_state(5)  # type: ignore[arg-type]
    found = transform(given)
    kspace = image_to_kspace(image) * transform.mask
    torch.testing.assert_close(found, kspace if target == "kspace" else kspace_to_image(kspace))
    assert transform.mask.double().mean().item() == pytest.approx(1 / 3)


def test_samples_outside_of_the_mask_are_zero_and_the_rest_is_kept() -> None:
    transform = UndersampleKspace(RadialMask(4), "kspace").set_random_state(0)
    kspace = complex_noise(3, 16, 16)
    masked = transform(kspace)
    mask = transform.mask.expand(kspace.shape)
    assert not masked[~mask].any()
    torch.testing.assert_close(masked[mask], kspace[mask], rtol=0, atol=0)


def test_is_fixed_by_its_seed_and_draws_in_randomize_alone() -> None:
    image = complex_noise(1, 20, 20)
    transform = UndersampleKspace(RandomMask(3)).set_random_state(1)
    first = transform(image)
    assert torch.equal(transform(image, randomize=False), first)
    assert not torch.equal(transform(image), first)
    assert torch.equal(UndersampleKspace(RandomMask(3)).set_random_state(1)(image), first)


def test_one_of_several_masks_is_drawn() -> None:
    transform = UndersampleKspace([RandomMask(2), RadialMask(8)]).set_random_state(0)
    image = complex_noise(1, 40, 40)
    found = set()
    for _ in range(20):
        transform(image)
        found.add(round(1 / transform.mask.double().mean().item()))
    assert found == {2, 8}


def test_affine_is_kept() -> None:
    image = MetaTensor(complex_noise(1, 6, 5, 4), affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))
    for target in ("kspace", "image"):
        out = UndersampleKspace(RandomMask(2, axes=(1, 2)), target=target)(image)  # type: ignore[arg-type]
        torch.testing.assert_close(out.affine, image.affine)


def test_dictionary_version_has_one_mask_for_all_keys() -> None:
    image = complex_noise(1, 20, 20)
    transform = UndersampleKspaced(["a", "b"], RandomMask(3), ["ka", "kb"])
    chain = Compose([transform]).set_random_state(0)
    out = chain({"a": image, "b": 2 * image})
    torch.testing.assert_close(out["kb"], 2 * out["ka"])
    torch.testing.assert_close(out["ka"], out["mask"] * image_to_kspace(image))
    assert out["mask"].double().mean().item() == pytest.approx(0.35)
    again = UndersampleKspaced("a", RandomMask(3)).set_random_state(4)({"a": image})
    assert torch.equal(again["a"], UndersampleKspaced("a", RandomMask(3)).set_random_state(4)({"a": image})["a"])
    assert UndersampleKspaced("a", RandomMask(3), allow_missing_keys=True)({"b": 1}) == {"b": 1}


@pytest.mark.parametrize("make", [RandomMask, RadialMask])
def test_nothing_is_sampled_beyond_the_support(make: Callable[..., KspaceMask]) -> None:
    image = complex_noise(1, 40, 36)
    data = {"a": image, "support": (0.75, 0.5)}
    out = UndersampleKspaced("a", make(3)).set_random_state(0)(data)
    columns = slice(9, 27)
    expected = make(3).set_random_state(0)((1, 30, 18)).expand(1, 30, 18)
    if make is RadialMask:
        assert torch.equal(out["mask"][:, 5:35, columns], expected)
    assert out["mask"][..., columns].double().mean() == pytest.approx(1 / 3 * (0.75 if make is RadialMask else 1))
    outside = out["mask"].clone()
    outside[..., columns] = False
    assert not outside.any()
    torch.testing.assert_close(out["a"], out["mask"] * image_to_kspace(image))


def test_masks_of_columns_and_of_samples_can_be_batched() -> None:
    for mask in (RandomMask(3, axes=(1, 2)), RadialMask(3, axes=(1, 2))):
        out = UndersampleKspaced("a", mask)({"a": complex_noise(1, 20, 16, 3)})
        assert out["mask"].shape == (1, 20, 16, 1)
        assert out.keys() == {"a", "mask"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: UndersampleKspace([]), "mask must be at least one"),
        (lambda: UndersampleKspace(RandomMask(), source="other"), "source must be one of image, kspace, got other"),
        (lambda: UndersampleKspace(RandomMask(), target="other"), "target must be one of"),
        (lambda: UndersampleKspace(RandomMask(), "kspace")(torch.ones(1, 4, 4)), "k-space must be complex"),
        (lambda: undersample_image(torch.ones(1, 4, 4), torch.ones(4, 4)), "mask must have as many axes"),
        (lambda: UndersampleKspaced(["a", "b"], RandomMask(), "c"), "output_keys must be as many as keys"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
