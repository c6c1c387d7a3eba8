"""Tests of transforms.intensity_matching."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter

from mri_attention.transforms.intensity_matching import match_intensities, standardized_difference

SHAPE = (30, 32, 28)
TISSUE = np.ones(SHAPE, bool)
VOXELS = (1.0, 1.0, 1.0)


@pytest.fixture
def head() -> np.ndarray:
    texture = gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 4)
    return 100 + 20 * texture / texture.std()


def noise(seed: int, scale: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=scale, size=SHAPE)


def test_scale_and_shift_are_undone(head: np.ndarray) -> None:
    one, other = match_intensities([head, 3.5 * head + 40], TISSUE, VOXELS)
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_more_noise_is_not_taken_for_more_contrast(head: np.ndarray) -> None:
    one, other = match_intensities([head + noise(1, 2), 2 * (head + noise(2, 15))], TISSUE, VOXELS)
    slope = np.polyfit(one.ravel(), other.ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.03)


def test_lesions_hardly_change_the_scale(head: np.ndarray) -> None:
    lesions = np.zeros(SHAPE, bool)
    lesions[10:20, 10:20, 10:15] = True  # 2 % of the voxels, twice as bright
    later = np.where(lesions, 200, head)
    one, other = match_intensities([head, later], TISSUE, VOXELS)
    assert abs(one - other)[~lesions].mean() < 2
    away = ~binary_dilation(lesions, np.ones((3, 3, 3)), iterations=2)
    one, other = match_intensities([head, later], away, VOXELS)
    assert abs(one - other)[~lesions].max() < 0.5


def test_no_image_is_preferred(head: np.ndarray) -> None:
    images = [head, 2 * head + noise(0, 3), head - 7]
    forward, backward = match_intensities(images, TISSUE, VOXELS), match_intensities(images[::-1], TISSUE, VOXELS)
    for one, other in zip(forward, backward[::-1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_refuses_tissue_of_one_value(head: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must vary within the tissue"):
        match_intensities([head, np.ones(SHAPE)], TISSUE, VOXELS)


def test_the_difference_has_the_noise_as_its_unit(head: np.ndarray) -> None:
    lesions = np.zeros(SHAPE, bool)
    lesions[3:6, 3:6, 3:6] = True
    found = standardized_difference(head + noise(1, 3), head + noise(2, 4) + 50 * lesions, TISSUE)
    assert found[~lesions].std() == pytest.approx(1, rel=0.05)
    assert found[lesions].mean() == pytest.approx(10, rel=0.1)


def test_exchanging_the_visits_changes_the_sign(head: np.ndarray) -> None:
    other = head + noise(3, 2)
    forward, backward = (standardized_difference(*pair, TISSUE) for pair in ((head, other), (other, head)))
    np.testing.assert_allclose(forward, -backward, atol=1e-9)
