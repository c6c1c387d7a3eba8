"""Tests of the losses of guided reconstruction and super-resolution."""

import pytest
import torch
from torch import Tensor

from mri_attention.losses import DualDomainLoss, GuidedSuperResolutionLoss, RecurrentDualDomainLoss


def reconstructions(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    dtypes = {"kspace": torch.complex64, "auxiliary_kspace": torch.complex64}
    names = ("image", "auxiliary_image", *dtypes)
    return {name: torch.randn(2, 1, 5, 6, dtype=dtypes.get(name), generator=generator) for name in names}


def l1(x: Tensor, y: Tensor) -> Tensor:
    difference = x - y
    return (difference.real.abs() + difference.imag.abs()).mean() / 2 if x.is_complex() else difference.abs().mean()


@pytest.mark.parametrize(("is_swapped", "weight"), [(False, 0.7), (True, 0.3)])
def test_target_has_the_larger_weight_unless_swapped(is_swapped: bool, weight: float) -> None:
    loss = GuidedSuperResolutionLoss(is_swapped=is_swapped)
    target = torch.zeros(2, 2, 3, 4)
    prediction = target.clone()
    prediction[:, 0], prediction[:, 1] = 1, -10
    torch.testing.assert_close(loss(prediction, target), torch.tensor(weight + 10 * (1 - weight)))


@pytest.mark.parametrize("n_images", [1, 2])
def test_without_guide_the_loss_is_that_of_the_target(n_images: int) -> None:
    loss = GuidedSuperResolutionLoss()
    torch.testing.assert_close(loss(torch.ones(2, 1, 3, 4), torch.full((2, n_images, 3, 4), 3.0)), torch.tensor(2.0))


def test_super_resolution_rejects_missing_guide() -> None:
    with pytest.raises(ValueError, match="target must have 2 channels, got 1"):
        GuidedSuperResolutionLoss()(torch.ones(2, 2, 3, 4), torch.ones(2, 1, 3, 4))


@pytest.mark.parametrize("alpha", [-0.1, 1.1])
def test_super_resolution_rejects_weights(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
        GuidedSuperResolutionLoss(alpha)


def test_dual_domain_is_the_equation_of_the_paper() -> None:
    x, y = reconstructions(0), reconstructions(1)
    kspace = 0.4 * l1(x["auxiliary_kspace"], y["auxiliary_kspace"]) + 0.6 * l1(x["kspace"], y["kspace"])
    image = 0.4 * l1(x["auxiliary_image"], y["auxiliary_image"]) + 0.6 * l1(x["image"], y["image"])
    torch.testing.assert_close(DualDomainLoss()(x, y), 0.4 * kspace + 0.6 * image)
    assert DualDomainLoss()(x, x) == 0


def test_missing_terms_leave_their_weight_to_the_others() -> None:
    x, y = reconstructions(0), reconstructions(1)
    loss = DualDomainLoss()
    torch.testing.assert_close(loss(x["image"], y), l1(x["image"], y["image"]))
    images = {name: x[name] for name in ("image", "auxiliary_image")}
    expected = 0.6 * l1(x["image"], y["image"]) + 0.4 * l1(x["auxiliary_image"], y["auxiliary_image"])
    torch.testing.assert_close(loss(images, y), expected)


def test_both_domains_of_an_error_have_one_scale() -> None:
    """An orthonormal transform keeps the energy, and of noise the mean of its parts."""
    noise = torch.randn(1, 1, 64, 64, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    zero = torch.zeros_like(noise)
    in_kspace = DualDomainLoss()({"kspace": torch.fft.fft2(noise, norm="ortho")}, {"kspace": zero})
    torch.testing.assert_close(in_kspace, DualDomainLoss()(noise, zero), rtol=0.03, atol=0)


def test_recurrences_add_up() -> None:
    target = {"image": torch.zeros(1, 1, 3, 4) + 0j, "kspace": torch.ones(1, 1, 3, 4) + 0j}
    prediction = {"images": torch.ones(1, 5, 3, 4) * (1 + 3j), "kspaces": torch.ones(1, 5, 3, 4) + 0j}
    torch.testing.assert_close(RecurrentDualDomainLoss()(prediction, target), torch.tensor(5 * 2.0))


@pytest.mark.parametrize(("alpha", "beta"), [(-0.1, 0.5), (0.5, 1.5)])
def test_dual_domain_rejects_weights(alpha: float, beta: float) -> None:
    with pytest.raises(ValueError, match="weights must be between 0 and 1"):
        DualDomainLoss(alpha, beta)


def test_dual_domain_rejects_what_cannot_be_compared() -> None:
    x = reconstructions(0)
    for prediction, target in (({}, x), ({"other": x["image"]}, x), (x, x["image"])):
        with pytest.raises(ValueError, match="nothing to compare, or not all of it"):
            DualDomainLoss()(prediction, target)
