"""Tests of k-space of several coils in transforms."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mri_attention.datasets.kspace import Kspace
from mri_attention.operators import estimate_kspace_noise, image_to_kspace, kspace_to_image
from mri_attention.simulation.coils import wire_sensitivities
from mri_attention.transforms import AgreeWithCoilsd, CompressedSensingKspaced, KspaceNoised
from mri_attention.transforms.coil_samples import calibrated_coils
from tests.helpers import features

SHAPE = 48, 40
FILE = Path("scan.h5")


def planes() -> Tensor:
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return torch.stack([(y.hypot(x) < radius) * (1.0 + 0.5 * torch.sin(12 * x)) for radius in (0.7, 0.8, 0.0)])


def kspace(n_coils: int = 12, n_center: int = 12) -> Kspace:
    mask = torch.arange(SHAPE[1]) % 3 == 0
    mask[20 - n_center // 2 : 20 + n_center // 2] = True
    coils = wire_sensitivities(SHAPE, n_coils) * planes()[:, None]
    return Kspace((image_to_kspace(coils) * mask).numpy(), mask.numpy()[None, None, None])


def loaded() -> dict[str, Any]:
    """Return what is loaded of these coils."""
    found = calibrated_coils(FILE, kspace())
    assert found is not None
    coils, maps = found
    mask = torch.from_numpy(kspace().mask[0])
    combined = image_to_kspace((maps.conj() * kspace_to_image(coils)).sum(0, keepdim=True)) * mask
    noise = torch.zeros(1, 3, 1, 1)
    return {"image": combined, "coils": coils, "coil_maps": maps, "sampled": mask, "kspace_noise": noise}


def test_coils_are_compressed_and_empty_slices_have_no_sensitivities() -> None:
    data = loaded()
    assert data["coils"].shape == data["coil_maps"].shape == (10, 3, *SHAPE)
    assert not data["coil_maps"][:, 2].any()
    combined = torch.linalg.vector_norm(data["coil_maps"], dim=0)[:2]
    assert ((combined - 1).abs() < 1e-4)[planes()[:2] > 0].float().mean() > 0.97


def test_one_coil_has_no_sensitivities(caplog: pytest.LogCaptureFixture) -> None:
    assert calibrated_coils(FILE, kspace(1)) is None
    assert not caplog.records


def test_a_center_with_gaps_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert calibrated_coils(FILE, kspace(n_center=4)) is None
    assert "scan.h5: the center of slice 0 has less than 8 x 8 samples without gaps" in caplog.text


def test_samples_that_no_sensitivities_explain_are_told_and_the_noisiest_coil_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    noise = np.random.default_rng(0).standard_normal((3, *SHAPE, 2)).astype(np.float32).view(np.complex64)[..., 0]
    faulty = kspace().data.copy()
    faulty[:, 5] += 0.05 * np.abs(faulty).max() * noise * kspace().mask[0, 0]
    assert calibrated_coils(FILE, Kspace(faulty, kspace().mask)) is None
    assert "scan.h5: no sensitivities explain the center of slice" in caplog.text
    assert "leave out coil 5" in caplog.text


@pytest.mark.parametrize("center", [9, 10, 12])
def test_small_centers_tell_the_sensitivities_of_all_of_the_head(center: int) -> None:
    mask = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) < 0.3
    y, x = (n // 2 - center // 2 for n in SHAPE)
    mask[y : y + center, x : x + center] = True
    coils = wire_sensitivities(SHAPE) * planes()[:2, None]
    found = calibrated_coils(FILE, Kspace((image_to_kspace(coils) * mask).numpy(), mask.numpy()[None, None]))
    assert found is not None
    assert ((found[1] != 0).any(0) | (planes()[:2] == 0)).float().mean() > 0.995


@pytest.mark.parametrize("scale", [1e-18, 1e15])
def test_units_do_not_matter(scale: float) -> None:
    samples = kspace()
    found = calibrated_coils(FILE, Kspace((samples.data * scale).astype(np.complex64), samples.mask))
    assert found is not None
    torch.testing.assert_close(found[1], loaded()["coil_maps"], rtol=1e-2, atol=1e-2)


def test_k_space_is_filled_by_all_coils() -> None:
    data = CompressedSensingKspaced("image", measured_key="measured")(loaded())
    found = kspace_to_image(data["image"])[0].abs()
    alone = loaded()
    del alone["coils"]
    single = kspace_to_image(CompressedSensingKspaced("image")(alone)["image"])[0].abs()
    errors = [float((image - planes()).square().mean()) for image in (found, single)]
    assert errors[0] < 0.3 * errors[1]
    torch.testing.assert_close(data["measured"], data["image"] * data["sampled"])


def test_how_long_slices_take_is_told_after_the_first(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(range(0, 100, 7))
    monkeypatch.setattr("mri_attention.transforms.compressed_sensing.monotonic", lambda: float(next(moments)))
    with caplog.at_level(logging.INFO):
        CompressedSensingKspaced("image")(loaded())
    assert caplog.messages == ["3 slices with 10 coils take about 21 s"]


def test_zeros_stay_where_nothing_is_to_be_filled() -> None:
    data = CompressedSensingKspaced("image", measured_key="measured", is_enabled=False)(loaded())
    torch.testing.assert_close(data["measured"], loaded()["image"])


def test_noise_is_that_of_the_coils() -> None:
    data = loaded()
    data["coils"] = data["coils"] + torch.complex(features(10, 3, *SHAPE), features(10, 3, *SHAPE).flip(-1))
    del data["kspace_noise"]
    found = KspaceNoised("image")(data)["kspace_noise"]
    torch.testing.assert_close(found[0, 0, 0, 0], estimate_kspace_noise(data["coils"], data["sampled"]))
    assert float(found[0, 0, 0, 0]) == pytest.approx(1.0, rel=0.2)


def test_images_agree_with_the_samples_of_all_coils() -> None:
    data = CompressedSensingKspaced("image")(loaded())
    data["pred"] = kspace_to_image(data["image"]).abs()
    found = AgreeWithCoilsd("pred")(data)["pred"]
    errors = [float((image[0] - planes()).square().mean()) for image in (found, data["pred"])]
    assert errors[0] < 0.5 * errors[1]


def test_images_of_one_coil_or_disabled_stay() -> None:
    data = loaded() | {"pred": features(1, 3, *SHAPE)}
    assert AgreeWithCoilsd("pred", is_enabled=False)(data)["pred"] is data["pred"]
    del data["coils"]
    assert AgreeWithCoilsd("pred")(data)["pred"] is data["pred"]


def test_what_a_server_passes_beside_the_start_is_not_of_it() -> None:
    data = CompressedSensingKspaced("image", measured_key="measured")(loaded())
    data["pred"] = kspace_to_image(data["image"]).abs()
    alone = AgreeWithCoilsd("pred")(data)["pred"]
    together = torch.cat([data["image"], data["sampled"].expand(1, 3, *SHAPE) + 0j, data["measured"]])
    found = AgreeWithCoilsd("pred")(data | {"image": together, "sampled": data["sampled"].expand(1, 3, *SHAPE)})
    torch.testing.assert_close(found["pred"], alone)


def test_the_phase_is_that_of_all_coils_though_the_start_is_zero_filled() -> None:
    data = loaded()
    data["pred"] = planes()[None]
    found = AgreeWithCoilsd("pred")(data)["pred"]
    assert float((found[0] - planes()).square().mean()) < 0.01 * float(planes().square().mean())


def test_slices_with_little_signal_have_sensitivities_of_low_resolution() -> None:
    samples = kspace()
    faint = samples.data.copy()
    noise = np.random.default_rng(0).standard_normal((*faint.shape[1:], 2)).astype(np.float32).view(np.complex64)
    faint[2] = 1e-3 * np.abs(faint).max() * noise[..., 0] * samples.mask[0]
    found = calibrated_coils(FILE, Kspace(faint, samples.mask))
    assert found is not None
    assert found[1][:, 2].any()
