"""Tests of transforms.intensity_faults."""

import logging
from pathlib import Path

import numpy as np
import pytest

from mri_attention.transforms import LoadContrastsd
from mri_attention.transforms.intensity_faults import background_level, clip_spikes, repair_intensities
from tests.transforms.heads import patient, save, tensor


def brain(level: float = 0.0) -> np.ndarray:
    values = np.full((20, 22, 10), level, np.float32)
    values[4:16, 4:18, 2:8] = np.random.default_rng(0).uniform(300, 700, (12, 14, 6))
    return values


def test_an_image_without_faults_is_left_alone() -> None:
    image = tensor(brain())
    assert repair_intensities(image) is image


@pytest.mark.parametrize("spike", [32767.0, -32768, 1e30, 4095])
def test_a_spike_is_clipped_to_the_rest_and_told(spike: float, caplog: pytest.LogCaptureFixture) -> None:
    clean, spoiled = brain(), brain()
    spoiled[9, 9, 5] = spike
    with caplog.at_level(logging.WARNING):
        repaired = repair_intensities(tensor(spoiled))[0].numpy()
    clean[9, 9, 5] = repaired[9, 9, 5]
    np.testing.assert_array_equal(repaired, clean)
    assert 0 <= clean[9, 9, 5] < 701
    assert "a.nii: 1 voxels are outliers of up to" in caplog.text


def test_a_spike_among_few_voxels_is_found() -> None:
    values = np.zeros((9, 9, 9), np.float32)
    values[3:6, 3:6, 3:6], values[4, 4, 4] = 100, 5000
    assert clip_spikes(values)[1] == 1


@pytest.mark.parametrize("values", [np.zeros((4, 4, 4), np.float32), brain(), -brain()])
def test_without_spikes_values_are_the_same_array(values: np.ndarray) -> None:
    assert clip_spikes(values)[0] is values


def test_a_background_that_is_not_zero_is_subtracted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    shift = np.float32(-2.25)
    with caplog.at_level(logging.WARNING):
        repaired = repair_intensities(tensor(brain() / 256 + shift))[0].numpy()
    np.testing.assert_allclose(repaired, brain() / 256, atol=1e-5)
    np.testing.assert_array_equal(repaired == 0, brain() == 0)
    assert "a.nii: the background is -2.25, which was subtracted" in caplog.text


def test_a_background_with_errors_of_interpolation_is_one() -> None:
    noise = np.random.default_rng(1).normal(0, 1e-4, (20, 22, 10)).astype(np.float32)
    assert background_level(brain(-300) + noise) == pytest.approx(-300, abs=1e-3)


def test_noise_around_a_head_is_no_background_of_one_value() -> None:
    noise = np.random.default_rng(1).rayleigh(20, (20, 22, 10)).astype(np.float32)
    assert background_level(np.maximum(brain(), noise)) == 0


def test_a_background_of_one_among_thousands_is_as_good_as_zero() -> None:
    assert background_level(brain(1)) == 0


def test_an_image_without_its_mean_is_told(caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1).rayleigh(20, (20, 22, 10)).astype(np.float32)
    image = np.maximum(brain(), noise)
    with caplog.at_level(logging.WARNING):
        repair_intensities(tensor(image - 15))  # a little of the background
        repair_intensities(tensor(brain() - 300))  # whose background is found
        assert "negative" not in caplog.text
        repaired = repair_intensities(tensor((image - image.mean()) / image.std()))
    assert "a.nii: 50 %" in caplog.text
    assert "of its intensities are negative, where networks know magnitudes" in caplog.text
    assert repaired.min() < 0


def test_contrasts_are_the_same_with_any_background(tmp_path: Path) -> None:
    paths = patient(tmp_path)
    for path in paths:
        save(Path(path), brain())
    expected = LoadContrastsd()({"image": paths})["image"].numpy()
    save(Path(paths[1]), brain() - 500)
    found = LoadContrastsd()({"image": paths})["image"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)
