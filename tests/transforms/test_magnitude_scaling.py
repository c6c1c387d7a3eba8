"""Tests of transforms.magnitude_scaling."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Invertd
from torch import Tensor

from mri_attention.operators import image_to_kspace
from mri_attention.transforms import ScaleMagnitude, ScaleMagnituded


def image() -> Tensor:
    return 300 * torch.rand(1, 12, 10, generator=torch.Generator().manual_seed(0)) * torch.exp(torch.tensor(1j))


def test_quantile_of_the_magnitude_becomes_one() -> None:
    scaled = ScaleMagnitude(0.9)(image())
    assert torch.quantile(scaled.abs(), 0.9).item() == pytest.approx(1)
    assert ScaleMagnitude(1)(image()).abs().max().item() == pytest.approx(1)


def test_inverse_undoes_it() -> None:
    scale = ScaleMagnitude()
    scaled = scale(MetaTensor(image(), affine=torch.diag(torch.tensor([2.0, 3, 4, 1]))))
    back = scale.inverse(scaled)
    torch.testing.assert_close(back.as_tensor(), image())
    assert back.applied_operations == []
    torch.testing.assert_close(back.affine, torch.diag(torch.tensor([2.0, 3, 4, 1], dtype=torch.float64)))


def test_air_alone_stays() -> None:
    assert torch.equal(ScaleMagnitude()(torch.zeros(1, 4, 4)).as_tensor(), torch.zeros(1, 4, 4))


def test_kspace_and_image_scale_by_the_reference() -> None:
    data = {"target": 2 * image(), "zero_filled": image(), "kspace": image_to_kspace(image())}
    out = ScaleMagnituded(["target", "zero_filled", "kspace"], "zero_filled")(data)
    torch.testing.assert_close(out["target"].as_tensor(), 2 * out["zero_filled"].as_tensor())
    torch.testing.assert_close(out["kspace"].as_tensor(), image_to_kspace(out["zero_filled"].as_tensor()))


def test_a_prediction_is_scaled_back_by_monai() -> None:
    chain = Compose([ScaleMagnituded(["image", "target"], "image")])
    out = chain({"image": MetaTensor(image()), "target": MetaTensor(3 * image())})
    out["pred"] = out["image"] * 3
    back = Invertd("pred", chain, orig_keys="image", nearest_interp=False)(out)
    torch.testing.assert_close(back["pred"].as_tensor(), 3 * image())
    both = chain.inverse({key: out[key] for key in ("image", "target")})
    torch.testing.assert_close(both["target"].as_tensor(), 3 * image())


@pytest.mark.parametrize("quantile", [0.0, 1.1])
def test_rejects_impossible_quantiles(quantile: float) -> None:
    with pytest.raises(ValueError, match="quantile must be within 0"):
        ScaleMagnitude(quantile)


def test_rejects_impossible_scales_and_what_it_has_not_scaled() -> None:
    with pytest.raises(ValueError, match="scale must be positive, got 0"):
        ScaleMagnitude()(image(), scale=0)
    with pytest.raises(ValueError, match="empty 'applied_operations'"):
        ScaleMagnitude().inverse(MetaTensor(image()))


def test_every_slice_has_its_own_scale() -> None:
    data = torch.rand(1, 3, 8, 8) * torch.tensor([1.0, 10.0, 0.0])[:, None, None]
    transform = ScaleMagnitude(1.0, slice_axis=1)
    scaled = transform(data)
    torch.testing.assert_close(scaled.as_tensor().amax((0, 2, 3)), torch.tensor([1.0, 1.0, 0.0]))
    torch.testing.assert_close(transform.inverse(scaled).as_tensor(), data)
