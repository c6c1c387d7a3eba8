"""Tests of transforms.quantile_scaling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Invertd
from torch import Tensor

from mri_attention.operators import image_to_kspace
from mri_attention.transforms import ScaleByQuantile, ScaleByQuantiled
from tests.helpers import features

CONTRASTS = features(2, 8, 9, 10).abs() * torch.tensor([3.0, 500.0]).view(2, 1, 1, 1)
PER_CONTRAST = ScaleByQuantile(0.95, "foreground", 0)


def image() -> Tensor:
    return 300 * torch.rand(1, 12, 10, generator=torch.Generator().manual_seed(0)) * torch.exp(torch.tensor(1j))


def test_quantile_of_the_magnitude_becomes_one() -> None:
    scaled = ScaleByQuantile(0.9)(image())
    assert torch.quantile(scaled.abs(), 0.9).item() == pytest.approx(1)
    assert ScaleByQuantile(1)(image()).abs().max().item() == pytest.approx(1)


def test_every_slice_has_its_own_scale() -> None:
    data = torch.rand(1, 3, 8, 8) * torch.tensor([1.0, 10.0, 0.0])[:, None, None]
    transform = ScaleByQuantile(1.0, axis=1)
    scaled = transform(data)
    torch.testing.assert_close(scaled.as_tensor().amax((0, 2, 3)), torch.tensor([1.0, 1.0, 0.0]))
    torch.testing.assert_close(transform.inverse(scaled).as_tensor(), data)


def test_scales_along_an_axis_are_exactly_numpys() -> None:
    scales = ScaleByQuantile(0.7, axis=-2).scale_of(CONTRASTS)
    expected = np.quantile(CONTRASTS.numpy(), 0.7, axis=(0, 1, 3), keepdims=True)
    assert torch.equal(scales, torch.from_numpy(expected))


def test_foreground_is_what_lies_above_the_mean_of_its_channel() -> None:
    above = [channel[channel > channel.mean()].numpy() for channel in CONTRASTS]
    expected = [np.quantile(values, 0.95) for values in above]
    assert PER_CONTRAST.scale_of(CONTRASTS).flatten().tolist() == expected


def test_contrasts_become_comparable_and_come_back() -> None:
    scaled = PER_CONTRAST(CONTRASTS)
    torch.testing.assert_close(PER_CONTRAST.scale_of(scaled).flatten(), torch.ones(2))
    torch.testing.assert_close(PER_CONTRAST.inverse(scaled).as_tensor(), CONTRASTS)


def test_amount_of_background_does_not_matter_to_the_foreground() -> None:
    wide = torch.nn.functional.pad(CONTRASTS + 100, (5, 5, 5, 5, 5, 5))
    wider = torch.nn.functional.pad(wide, (5, 5, 5, 5, 5, 5))
    torch.testing.assert_close(PER_CONTRAST.scale_of(wide), PER_CONTRAST.scale_of(wider))


def test_inverse_gives_back_values_and_metadata() -> None:
    scale = ScaleByQuantile()
    scaled = scale(MetaTensor(image(), affine=torch.diag(torch.tensor([2.0, 3, 4, 1]))))
    back = scale.inverse(scaled)
    torch.testing.assert_close(back.as_tensor(), image())
    assert back.applied_operations == []
    torch.testing.assert_close(back.affine, torch.diag(torch.tensor([2.0, 3, 4, 1], dtype=torch.float64)))


def test_inverse_of_fewer_channels_takes_the_first_ones() -> None:
    scaled = PER_CONTRAST(CONTRASTS)
    torch.testing.assert_close(PER_CONTRAST.inverse(scaled[:1]).as_tensor(), CONTRASTS[:1])


@pytest.mark.parametrize("transform", [ScaleByQuantile(), PER_CONTRAST])
def test_constant_data_stay(transform: ScaleByQuantile) -> None:
    assert torch.equal(transform(torch.zeros(1, 4, 4)).as_tensor(), torch.zeros(1, 4, 4))


def test_kspace_and_image_scale_by_the_reference() -> None:
    data = {"target": 2 * image(), "zero_filled": image(), "kspace": image_to_kspace(image())}
    out = ScaleByQuantiled(["target", "zero_filled", "kspace"], reference_key="zero_filled")(data)
    torch.testing.assert_close(out["target"].as_tensor(), 2 * out["zero_filled"].as_tensor())
    torch.testing.assert_close(out["kspace"].as_tensor(), image_to_kspace(out["zero_filled"].as_tensor()))


def test_fewer_channels_share_the_numbers_of_the_reference() -> None:
    transform = ScaleByQuantiled(["image", "label"], "image", quantile=0.95, of="foreground", axis=0)
    out = transform({"image": CONTRASTS, "label": 7 * CONTRASTS[:1]})
    torch.testing.assert_close(out["label"].as_tensor(), 7 * out["image"][:1].as_tensor())
    torch.testing.assert_close(transform.inverse(out)["label"].as_tensor(), 7 * CONTRASTS[:1])


def test_a_prediction_is_scaled_back_by_monai() -> None:
    chain = Compose([ScaleByQuantiled(["image", "target"], "image")])
    out = chain({"image": MetaTensor(image()), "target": MetaTensor(3 * image())})
    out["pred"] = out["image"] * 3
    back = Invertd("pred", chain, orig_keys="image", nearest_interp=False)(out)
    torch.testing.assert_close(back["pred"].as_tensor(), 3 * image())
    both = chain.inverse({key: out[key] for key in ("image", "target")})
    torch.testing.assert_close(both["target"].as_tensor(), 3 * image())


@pytest.mark.parametrize("quantile", [0.0, 1.1])
def test_rejects_impossible_quantiles(quantile: float) -> None:
    with pytest.raises(ValueError, match="quantile must be within 0"):
        ScaleByQuantile(quantile)


def test_rejects_unknown_parts() -> None:
    with pytest.raises(ValueError, match="of must be one of magnitude, foreground, got head"):
        ScaleByQuantile(of="head")  # type: ignore[arg-type]


def test_rejects_more_channels_than_were_scaled_and_what_was_not_scaled() -> None:
    scaled = PER_CONTRAST(CONTRASTS[:1])
    more = MetaTensor(torch.zeros(2, 8, 9, 10), applied_operations=scaled.applied_operations)
    with pytest.raises(ValueError, match="2 along axis 0 where 1 were scaled"):
        PER_CONTRAST.inverse(more)
    with pytest.raises(ValueError, match="2 along axis 0 where 1 were scaled"):
        PER_CONTRAST(CONTRASTS, PER_CONTRAST.scale_of(CONTRASTS[:1]))
    with pytest.raises(ValueError, match="empty 'applied_operations'"):
        ScaleByQuantile().inverse(MetaTensor(image()))
