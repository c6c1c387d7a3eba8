"""Tests of inferers that try a reconstruction on samples which it was not given."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from mri_attention.networks.inferers import HeldOutSamplesInferer, SliceBatchInferer
from mri_attention.networks.inferers.held_out_samples import leave_out
from mri_attention.networks.inferers.slices import KspaceInputs
from mri_attention.networks.nets import ZeroFilling
from mri_attention.operators import CompressedSensingSolver, image_to_kspace, kspace_to_image
from tests.helpers import features

TRUTH = features(1, 1, 3, 32, 40).abs()
COLUMNS = (torch.arange(40) % 2 == 0) | ((torch.arange(40) - 20).abs() < 3)
MASK = COLUMNS.expand(1, 1, 3, 32, 40)
SAMPLES = image_to_kspace(TRUTH) * MASK


def an_inferer(**options: Any) -> HeldOutSamplesInferer:
    return HeldOutSamplesInferer(SliceBatchInferer(2), **options)


def knowing(share: float, offset: float = 0.0) -> Any:
    """Return a network that takes a share of the guide, which is the truth, and the rest from its input."""

    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor, *_: Tensor) -> Tensor:
        return (share * auxiliary + (1 - share) * kspace_to_image(kspace).abs() + offset * auxiliary.flip(-1)).abs()

    return network


def given(network: Any, inferer: HeldOutSamplesInferer, samples: Tensor = SAMPLES) -> Tensor:
    result = inferer(samples, network, auxiliary=TRUTH, mask=MASK)
    assert isinstance(result, Tensor)
    return result


def test_whole_columns_or_rows_are_left_out_beyond_the_center() -> None:
    columns = (torch.arange(200) % 2 == 0).expand(50, 200)
    chosen = leave_out(columns)
    assert (chosen == chosen[:1]).all()
    assert not (chosen & ~columns).any()
    assert not chosen[:, 90:111].any()
    assert 0.1 < chosen.sum() / columns.sum() < 0.3
    rows = columns.T.contiguous()
    assert (leave_out(rows) == leave_out(rows)[:, :1]).all()
    assert 0.1 < leave_out(rows).sum() / rows.sum() < 0.3


def test_squares_are_left_out_of_other_samples() -> None:
    samples = features(96, 80) > 0
    chosen = leave_out(samples)
    assert 0.1 < chosen.sum() / samples.sum() < 0.3
    squares = chosen.view(12, 8, 10, 8).any(3).any(1)
    y, x = torch.meshgrid((torch.arange(96) - 48) / 48, (torch.arange(80) - 40) / 40, indexing="ij")
    inside = squares.repeat_interleave(8, 0).repeat_interleave(8, 1) & samples & (y.hypot(x) > 0.1)
    torch.testing.assert_close(chosen, inside)
    torch.testing.assert_close(leave_out(samples.expand(2, 96, 80)), chosen.expand(2, 96, 80))


def test_errors_are_shares_of_the_power_left_out() -> None:
    """An image of zeros foretells nothing, and neither does what zeros were filled in."""
    inputs = KspaceInputs(SAMPLES, TRUTH, MASK, None, None)
    nothing = an_inferer().trial(lambda kspace, *_: torch.zeros_like(kspace.real), inputs)
    assert nothing == pytest.approx((1.0, 1.0), rel=1e-4)
    double = an_inferer().trial(lambda kspace, *_: 2 * kspace_to_image(kspace).abs(), inputs)
    assert double == pytest.approx((1.0, 1.0), rel=1e-4)  # zeros are foretold twice


def test_the_network_sees_no_sample_that_is_left_out() -> None:
    seen = []

    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor, noise: Tensor, measured: Tensor) -> Tensor:
        seen.append((kspace, mask, noise, measured))
        return auxiliary

    noise = torch.tensor([0.1, 0.2, 0.3]).view(1, 1, 3, 1, 1)
    solver = CompressedSensingSolver(n_iterations=3, keep_samples=True)
    an_inferer(start=solver).trial(network, KspaceInputs(solver(SAMPLES, MASK), TRUTH, MASK, noise, SAMPLES))
    kspace, mask, levels, measured = (torch.cat(parts) for parts in zip(*seen, strict=True))
    left_out = leave_out(MASK)[0, 0, 0]
    assert not mask[:, 0][:, left_out].any()
    assert (measured[:, 0][:, left_out] == 0).all()
    torch.testing.assert_close(levels.flatten(), noise.flatten())
    torch.testing.assert_close(kspace, solver(measured, mask, levels))


def test_a_network_that_helps_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    torch.testing.assert_close(given(knowing(1.0), an_inferer()), TRUTH)
    assert not caplog.records


def test_a_network_that_harms_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    samples = MetaTensor(SAMPLES, meta={"filename_or_obj": ["in/scan.h5"]})
    result = given(knowing(0.0, 1.0), an_inferer(), samples)
    torch.testing.assert_close(result, kspace_to_image(SAMPLES).abs())
    assert isinstance(result, MetaTensor)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("in/scan.h5: tried on samples that were left out, the network fails (error")
    assert "does the guide belong to this head?" in record.getMessage()


def test_a_network_that_hardly_helps_is_told_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    result = given(knowing(0.05), an_inferer())
    torch.testing.assert_close(result, SliceBatchInferer(2)(SAMPLES, knowing(0.05), TRUTH, MASK))
    assert "hardly of use" in caplog.text


def test_each_volume_of_a_batch_is_tried() -> None:
    inferer = an_inferer()
    guide = torch.cat([TRUTH, 3 * TRUTH.flip(-1)])
    result = inferer(torch.cat([SAMPLES] * 2), knowing(1.0), auxiliary=guide, mask=torch.cat([MASK] * 2))
    assert isinstance(result, Tensor)
    torch.testing.assert_close(result, torch.cat([TRUTH, kspace_to_image(SAMPLES).abs()]))


def test_channels_of_one_tensor_are_tried_too(caplog: pytest.LogCaptureFixture) -> None:
    noise = torch.full_like(TRUTH, 0.01)
    together = torch.cat([SAMPLES, *(x + 0j for x in (3 * TRUTH.flip(-1), MASK, noise)), SAMPLES], 1)
    result = an_inferer()(together, knowing(1.0))
    torch.testing.assert_close(result, kspace_to_image(SAMPLES).abs())
    assert "network fails" in caplog.text


def test_too_few_samples_to_leave_some_out_are_told(caplog: pytest.LogCaptureFixture) -> None:
    center = ((torch.arange(40) - 20).abs() < 2).expand_as(MASK)
    result = an_inferer()(SAMPLES * center, knowing(0.0, 1.0), auxiliary=TRUTH, mask=center)
    torch.testing.assert_close(result, SliceBatchInferer()(SAMPLES * center, knowing(0.0, 1.0), TRUTH, center))
    assert "k-space: too few samples to leave some out" in caplog.text


def test_disabled_it_is_the_inferer_itself() -> None:
    inferer, network = an_inferer(enabled=False), knowing(0.0, 1.0)
    torch.testing.assert_close(given(network, inferer), SliceBatchInferer()(SAMPLES, network, TRUTH, MASK))


def test_what_a_loss_needs_is_passed_on() -> None:
    def network(kspace: Tensor, auxiliary: Tensor, mask: Tensor) -> dict[str, Tensor]:
        return {"image": 5 - auxiliary, "kspace": kspace}

    result = HeldOutSamplesInferer(SliceBatchInferer(image_only=False))(SAMPLES, network, TRUTH, MASK)
    assert isinstance(result, dict)
    torch.testing.assert_close(result["image"], 5 - TRUTH)


def test_zero_filling_is_never_worse_than_itself(caplog: pytest.LogCaptureFixture) -> None:
    torch.testing.assert_close(given(ZeroFilling(), an_inferer()), kspace_to_image(SAMPLES).abs())
    assert "fails" not in caplog.text


def test_columns_are_known_though_rows_were_padded() -> None:
    padded = COLUMNS.expand(32, 40).clone()
    padded[:4] = False
    chosen = leave_out(padded)
    assert (chosen[4:] == leave_out(COLUMNS.expand(32, 40))[4:]).all()


def test_slices_without_samples_are_not_tried(caplog: pytest.LogCaptureFixture) -> None:
    samples = SAMPLES.clone()
    samples[:, :, :2] = 0
    given(knowing(0.0, 1.0), an_inferer(n_slices=1), samples)
    assert "network fails" in caplog.text
    caplog.clear()
    given(knowing(1.0), an_inferer(), torch.zeros_like(SAMPLES))
    assert "too few samples" in caplog.text
