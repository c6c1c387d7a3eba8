"""Tests of transforms.contrast_mix."""

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.transforms import RandContrastMix, RandContrastMixd


def image() -> torch.Tensor:
    return torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0))


def test_adds_a_share_of_each_other_contrast_and_none_of_its_own() -> None:
    mix = RandContrastMix(prob=1.0, spread=0.2)
    mix.set_random_state(0)
    mixed = mix(image())
    shares = torch.from_numpy(mix.shares)
    assert not shares.diagonal().any()
    assert shares[0, 1] != 0
    expected = image() + torch.einsum("ij,jxyz->ixyz", shares, image())
    torch.testing.assert_close(mixed, expected)


def test_background_stays_zero_and_spread_zero_changes_nothing() -> None:
    x = image()
    x[:, 0] = 0
    mix = RandContrastMix(prob=1.0)
    assert not mix(x)[:, 0].any()
    torch.testing.assert_close(RandContrastMix(prob=1.0, spread=0.0)(x), x)


def test_never_acts_with_probability_zero() -> None:
    assert RandContrastMix(prob=0.0)(image()) is not None
    torch.testing.assert_close(RandContrastMix(prob=0.0)(image()), image(), rtol=0, atol=0)


def test_same_state_same_draw_which_serves_all_keys() -> None:
    mix = RandContrastMixd(keys=["a", "b"], prob=1.0)
    mix.set_random_state(3)
    first = mix({"a": image(), "b": image()})
    torch.testing.assert_close(first["a"], first["b"], rtol=0, atol=0)
    mix.set_random_state(3)
    torch.testing.assert_close(mix({"a": image(), "b": image()})["a"], first["a"], rtol=0, atol=0)
    assert not torch.equal(mix({"a": image(), "b": image()})["a"], first["a"])


def test_keeps_the_affine_and_the_input() -> None:
    affine = torch.diag(torch.tensor([2.0, 3.0, 4.0, 1.0]))
    x = MetaTensor(image(), affine=affine)
    mixed = RandContrastMixd(keys="image", prob=1.0)({"image": x})["image"]
    assert torch.equal(mixed.affine, x.affine)
    assert torch.equal(x.as_tensor(), image())


def test_shares_have_the_spread_that_was_asked_for() -> None:
    mix = RandContrastMix(prob=1.0, spread=0.3)
    mix.set_random_state(0)
    mix.randomize(200)
    off_diagonal = mix.shares[mix.shares != 0]
    assert off_diagonal.std() == pytest.approx(0.3, rel=0.02)
    assert abs(off_diagonal.mean()) < 0.01


def test_rejects_a_negative_spread() -> None:
    with pytest.raises(ValueError, match="got -1"):
        RandContrastMix(spread=-1)
