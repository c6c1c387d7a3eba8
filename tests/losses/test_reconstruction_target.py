"""Tests of losses.reconstruction_target."""

import pytest
import torch
from torch import Tensor

from mri_attention.losses import DualDomainLoss, GuidedReconstructionLoss
from mri_attention.operators import image_to_kspace
from tests.helpers import features

TARGET = torch.complex(features(2, 2, 8, 6), features(2, 2, 8, 6).flip(-1))
IMAGE, GUIDE = TARGET.split(1, 1)


def test_compares_with_image_and_guide_and_the_kspace_of_both() -> None:
    given: list[dict[str, Tensor]] = []
    GuidedReconstructionLoss(lambda predicted, true: given.append(true))(features(2, 1, 8, 6), TARGET)
    expected = {"image": IMAGE.abs(), "auxiliary_image": GUIDE.abs()}
    expected |= {"kspace": image_to_kspace(IMAGE), "auxiliary_kspace": image_to_kspace(GUIDE)}
    torch.testing.assert_close(given, [expected])


def test_a_complex_prediction_is_compared_with_the_complex_image() -> None:
    given: list[dict[str, Tensor]] = []
    GuidedReconstructionLoss(lambda predicted, true: given.append(true))({"image": 0 * IMAGE}, TARGET)
    torch.testing.assert_close(given[0]["image"], IMAGE)


def test_is_the_dual_domain_loss_by_default() -> None:
    prediction = {name: features(2, 1, 8, 6) for name in ("image", "auxiliary_image")}
    prediction |= {name: image_to_kspace(features(2, 1, 8, 6)) for name in ("kspace", "auxiliary_kspace")}
    expected = GuidedReconstructionLoss(DualDomainLoss())(prediction, TARGET)
    torch.testing.assert_close(GuidedReconstructionLoss()(prediction, TARGET), expected)
    assert expected > 0


def test_a_target_without_guide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"image and guide, got shape \(2, 1, 8, 6\)"):
        GuidedReconstructionLoss()(features(2, 1, 8, 6), IMAGE)
