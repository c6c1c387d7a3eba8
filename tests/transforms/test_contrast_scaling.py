"""Tests of transforms.contrast_scaling."""

from __future__ import annotations

import pytest
import torch

from mri_attention.transforms import ScaleContrasts, ScaleContrastsd
from tests.helpers import features

IMAGE = features(2, 8, 9, 10).abs() * torch.tensor([3.0, 500.0]).view(2, 1, 1, 1)


def test_channels_become_comparable_and_come_back() -> None:
    transform = ScaleContrasts()
    scaled = transform(IMAGE)
    assert all(abs(q - 1) < 1e-5 for q in transform.scales_of(scaled))
    torch.testing.assert_close(transform.inverse(scaled).as_tensor(), IMAGE)


def test_background_does_not_matter() -> None:
    wide = torch.nn.functional.pad(IMAGE + 100, (5, 5, 5, 5, 5, 5))
    wider = torch.nn.functional.pad(wide, (5, 5, 5, 5, 5, 5))
    assert ScaleContrasts().scales_of(wide) == pytest.approx(ScaleContrasts().scales_of(wider))


def test_inverse_of_fewer_channels_takes_the_first_ones() -> None:
    transform = ScaleContrasts()
    scaled = transform(IMAGE)
    torch.testing.assert_close(transform.inverse(scaled[:1]).as_tensor(), IMAGE[:1])


def test_keys_can_share_the_numbers_of_one_of_them() -> None:
    transform = ScaleContrastsd(["image", "label"], reference_key="image")
    out = transform({"image": IMAGE, "label": 7 * IMAGE[:1]})
    torch.testing.assert_close(out["label"].as_tensor(), 7 * out["image"][:1].as_tensor())
    torch.testing.assert_close(transform.inverse(out)["label"].as_tensor(), 7 * IMAGE[:1])


def test_constant_channel_stays() -> None:
    assert not ScaleContrasts()(torch.zeros(1, 4, 4)).any()


def test_rejects_bad_quantiles_and_additional_channels() -> None:
    with pytest.raises(ValueError, match="quantile must be within 0"):
        ScaleContrasts(0.0)
    transform = ScaleContrasts()
    scaled = transform(IMAGE[:1])
    more = transform(scaled).new_tensor(torch.zeros(2, 8, 9, 10))
    more.applied_operations = scaled.applied_operations
    with pytest.raises(ValueError, match="2 channels where 1 were scaled"):
        transform.inverse(more)
