"""Tests of transforms.overshoot."""

import torch
from monai.data import MetaTensor

from mri_attention.transforms import LimitOvershootd


def test_what_is_twice_as_bright_as_its_neighbors_is_clipped() -> None:
    image = torch.full((1, 5, 5, 5), 0.4)
    pred = torch.full((1, 10, 10, 10), 0.5)
    pred[0, 0, 0, 0], pred[0, 9, 9, 9] = 0.8, -0.1
    found = LimitOvershootd("pred")({"pred": MetaTensor(pred), "image": MetaTensor(image)})["pred"]
    expected = pred.clone()
    expected[0, 0, 0, 0] = 0.6
    torch.testing.assert_close(found.as_tensor(), expected)
    assert isinstance(found, MetaTensor)


def test_neighbors_in_the_input_allow_it() -> None:
    image, pred = torch.full((1, 5, 5, 5), 0.4), torch.full((1, 10, 10, 10), 0.5)
    image[0, 1, 1, 1] = 0.6
    pred[0, 0, 0, 0] = 0.85
    data = {"pred": MetaTensor(pred), "image": MetaTensor(image)}
    torch.testing.assert_close(LimitOvershootd("pred")(data)["pred"].as_tensor(), pred, rtol=0, atol=0)


def test_dark_places_may_have_noise() -> None:
    pred = torch.full((1, 4, 4, 4), 0.07)
    data = {"pred": MetaTensor(pred), "image": MetaTensor(torch.zeros(1, 2, 2, 2))}
    torch.testing.assert_close(LimitOvershootd("pred")(data)["pred"].as_tensor(), pred, rtol=0, atol=0)
