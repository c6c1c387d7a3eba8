"""Tests of inferers that try a network on the input itself, at lower resolution."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mri_attention.networks.inferers import BlurredVolumes, SelfTestedInferer, TruncatedPlanes
from mri_attention.networks.inferers.magnification import sharpness
from mri_attention.networks.inferers.self_test import share_of_detail
from mri_attention.networks.nets import Interpolation
from mri_attention.operators import agree_with_low_resolution, lower_resolution
from tests.helpers import features

TRUTH = F.interpolate(features(1, 1, 16, 16, 3).abs(), (64, 64, 3), mode="trilinear")


def zero_filled(truth: Tensor = TRUTH) -> Tensor:
    planes = lower_resolution(truth.movedim(-1, 2), 2).movedim(2, -1)
    return torch.cat([planes, truth], 1)


def an_inferer(**options: Any) -> SelfTestedInferer:
    return SelfTestedInferer(SimpleInferer(), TruncatedPlanes(2, data_consistency=False), **options)


def blend(share: float) -> Any:
    """Return a network that adds some of what is missing, and leaves the guide."""
    return lambda x: torch.cat([x[:, :1] + share * (x[:, 1:] - x[:, :1]), x[:, 1:]], 1)


@pytest.mark.parametrize(("factor", "share"), [(1.0, 1.0), (0.5, 1.0), (1.3, 1 / 1.3), (1.6, 0.0), (-1.0, 0.0)])
def test_share_has_the_least_error_and_is_not_above_what_was_found(factor: float, share: float) -> None:
    true = features(4, 5)
    assert share_of_detail(factor * true, true) == pytest.approx(share)


def test_nothing_found_is_nothing_to_take_away() -> None:
    assert share_of_detail(torch.zeros(3), torch.ones(3)) == 1.0


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_network_that_helps_is_believed(share: float, caplog: pytest.LogCaptureFixture) -> None:
    inputs, network = zero_filled(), blend(share)
    torch.testing.assert_close(an_inferer()(inputs, network), network(inputs), rtol=1e-3, atol=1e-3)
    assert not caplog.records


def test_a_network_that_harms_is_replaced_by_zero_filling_and_told(caplog: pytest.LogCaptureFixture) -> None:
    inputs = MetaTensor(zero_filled(), meta={"filename_or_obj": ["in/sub-1_T2w.nii.gz"]})
    with caplog.at_level(logging.WARNING):
        result = an_inferer()(inputs, blend(-1.0))
    torch.testing.assert_close(result, inputs.as_tensor(), rtol=0, atol=0)
    (record,) = caplog.records
    assert record.getMessage().startswith("in/sub-1_T2w.nii.gz: tried on this image at lower resolution, the network")
    assert "the result is that of zero-filling" in record.getMessage()


def test_a_guide_that_helps_no_more_than_another_place_of_it_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    """The network sharpens by itself, and adds a trace of the guide, which is noise: at low resolution it is right."""
    inputs = zero_filled()
    inputs[:, 1] = torch.rand(inputs[:, 1].shape, generator=torch.Generator().manual_seed(0))
    own = TruncatedPlanes(2, data_consistency=False).trial(inputs)
    assert own is not None
    fine = {tuple(own.truth.shape): own.truth, tuple(TRUTH.shape): TRUTH}

    def network(x: Tensor, trace: float = 0.01) -> Tensor:
        truth = fine[tuple(x[:, :1].shape)]
        return torch.cat([x[:, :1] + 0.9 * (truth - x[:, :1]) + trace * (x[:, 1:] - 0.5), x[:, 1:]], 1)

    with caplog.at_level(logging.WARNING):
        torch.testing.assert_close(an_inferer()(inputs, network), inputs, rtol=0, atol=0)
    assert "the guide may be of another head or not aligned" in caplog.text
    caplog.clear()
    result = an_inferer()(inputs, lambda x: network(x, 0.0))  # makes no use of it
    torch.testing.assert_close(result[:, :1], TRUTH * 0.9 + 0.1 * inputs[:, :1], rtol=1e-3, atol=1e-3)
    assert not caplog.records


def test_a_network_that_overdoes_is_damped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    inputs = zero_filled()
    result = an_inferer()(inputs, blend(1.3))
    torch.testing.assert_close(result, blend(1.0)(inputs), rtol=0.02, atol=0.02)
    assert "are kept" in caplog.text


def test_each_image_of_a_batch_has_a_share_of_its_own() -> None:
    inputs = zero_filled()
    other = inputs.flip(2) + torch.tensor([0.0, 3.0]).view(1, 2, 1, 1, 1)  # whose guide is of no use
    result = an_inferer()(torch.cat([inputs, other]), blend(1.0))
    torch.testing.assert_close(result[:1], blend(1.0)(inputs), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(result[1:], other, rtol=0, atol=0)


def test_each_contrast_of_a_joint_task_has_a_share_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """The network knows nothing of the second contrast, as one that was trained to make the first alone."""
    both = torch.cat([zero_filled()[:, :1]] * 2, 1)
    magnification = TruncatedPlanes(2, is_joint=True, data_consistency=False)
    trial = magnification.trial(both)
    assert trial is not None
    fine = {image.shape: image for image in (TRUTH, trial.truth[:, :1])}

    def network(x: Tensor) -> Tensor:
        detail = fine[x[:, :1].shape] - x[:, :1]
        return x + torch.cat([detail, -detail], 1)

    result = SelfTestedInferer(SimpleInferer(), magnification)(both, network)
    torch.testing.assert_close(result[:, :1], TRUTH, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(result[:, 1:], both[:, 1:], rtol=0, atol=0)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["image, contrast 2"]


def test_an_image_that_is_too_small_to_be_tried_is_told(caplog: pytest.LogCaptureFixture) -> None:
    inputs = zero_filled()[:, :, :30]
    torch.testing.assert_close(an_inferer()(inputs, blend(-1.0)), blend(-1.0)(inputs))
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "image: too small to try the network on it at lower resolution"
    ]


def test_disabled_it_is_the_inferer_itself() -> None:
    inputs = zero_filled()
    torch.testing.assert_close(an_inferer(enabled=False)(inputs, blend(-1.0)), blend(-1.0)(inputs), rtol=0, atol=0)


def test_trial_has_the_low_resolution_itself_as_truth() -> None:
    inputs = zero_filled()
    trial = TruncatedPlanes(2, n_planes=2).trial(inputs)
    assert trial is not None
    truth, planes = trial.truth, trial.inputs.movedim(-1, 2)
    assert truth.shape == (1, 1, 32, 32, 2)
    torch.testing.assert_close(truth[..., 0], inputs[:, :1, ::2, ::2, 0].abs(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(truth[..., 1], inputs[:, :1, ::2, ::2, 2].abs(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(planes[:, :1], lower_resolution(truth.movedim(-1, 2), 2))
    assert TruncatedPlanes(2).trial(inputs[:, :, :30]) is None
    assert TruncatedPlanes(2).trial(inputs[..., 0]) is not None


def test_trial_of_both_contrasts_lowers_both() -> None:
    inputs = torch.cat([zero_filled()[:, :1]] * 2, 1)
    trial = TruncatedPlanes(2, is_joint=True).trial(inputs)
    assert trial is not None
    assert trial.truth.shape[1] == trial.inputs.shape[1] == 2
    torch.testing.assert_close(trial.inputs[:, 0], trial.inputs[:, 1])


def test_results_are_compared_as_they_are_given_out() -> None:
    result, inputs = features(1, 1, 32, 32, 2), zero_filled()[:, :, ::2, ::2, :2]
    found = TruncatedPlanes(2).finish(result, inputs)
    planes = (x.movedim(-1, 2).double() for x in (result, inputs[:, :1]))
    torch.testing.assert_close(found.movedim(-1, 2), agree_with_low_resolution(*planes, 2))


def lower(image: Tensor) -> Tensor:
    return F.avg_pool3d(image, 2)


def test_volumes_are_tried_on_their_middle() -> None:
    volumes = BlurredVolumes(lower, Interpolation(2, "linear"), size=20)
    inputs = features(1, 1, 40, 20, 33)
    trial = volumes.trial(inputs)
    assert trial is not None
    torch.testing.assert_close(trial.truth, inputs[:, :, 10:30, :, 6:26])
    torch.testing.assert_close(trial.inputs, lower(trial.truth))
    assert volumes.trial(inputs[:, :, :15]) is None
    assert volumes.interpolate(inputs).shape == (1, 1, 80, 40, 66)


def test_volumes_that_were_never_blurred_are_tried_without_blur() -> None:
    sharp, blurred = features(1, 1, 32, 32, 32), TRUTH[..., :1].repeat(1, 1, 1, 1, 64)
    assert sharpness(blurred[:, :, 16:48, 16:48, 16:48]) < 0.2 < sharpness(sharp)
    assert sharpness(sharp) == pytest.approx(1, rel=0.1)  # noise is white
    assert sharpness(torch.ones(1, 1, 16, 16, 16)) == 0
    volumes = BlurredVolumes(lower, Interpolation(2), 32, 0.2, lambda image: image[:, ::2, ::2, ::2])
    for image, expected in ((sharp, sharp[:, :, ::2, ::2, ::2]), (blurred, lower(blurred[:, :, 16:48, 16:48, 16:48]))):
        trial = volumes.trial(image)
        assert trial is not None
        torch.testing.assert_close(trial.inputs, expected)


def test_a_volume_falls_back_to_interpolation(caplog: pytest.LogCaptureFixture) -> None:
    interpolation = Interpolation(2, "linear")
    inferer = SelfTestedInferer(SimpleInferer(), BlurredVolumes(lower, interpolation))
    inputs = features(1, 1, 18, 16, 17)
    result = inferer(inputs, lambda x: 5 - interpolation(x))
    torch.testing.assert_close(result, interpolation(inputs))
    assert "the result is that of interpolation" in caplog.text


@pytest.mark.parametrize("enabled", [True, False])
def test_a_result_that_is_not_finite_is_refused(enabled: bool) -> None:
    with pytest.raises(ValueError, match="image: what the network made of it holds NaN or Inf"):
        an_inferer(enabled=enabled)(zero_filled(), lambda x: x / 0)
