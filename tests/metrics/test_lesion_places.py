import logging

import numpy as np
import pytest

from mri_attention.metrics.brain_parts import BrainParts
from mri_attention.metrics.lesion_places import find_lesions

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])
SHAPE = (40, 40, 40)


@pytest.fixture(scope="module")
def parts() -> BrainParts:
    """Ventricles in the middle, cortex at the upper end, brain stem at the lower."""
    ventricles, cortex, below = (np.zeros(SHAPE, bool) for _ in range(3))
    ventricles[18:22, 10:30, 18:22] = True
    cortex[..., 35:] = True
    below[..., :8] = True
    return BrainParts(AFFINE, ventricles, cortex, below)


def box(*sides: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


def places(mask: np.ndarray, parts: BrainParts, affine: np.ndarray = AFFINE) -> list[str]:
    return [lesion.place for lesion in find_lesions(mask, affine, {}, parts=parts)]


@pytest.mark.parametrize(
    ("mask", "place"),
    [
        (box((22, 25), (15, 18), (19, 21)), "periventricular"),
        (box((10, 13), (15, 18), (32, 34)), "juxtacortical"),
        (box((10, 13), (15, 18), (3, 6)), "infratentorial"),
        (box((10, 13), (15, 18), (25, 28)), "other"),
        (box((20, 21), (20, 21), (22, 35)), "periventricular"),  # from the ventricles to the cortex
        (box((20, 21), (20, 21), (2, 12)), "infratentorial"),  # most of it
    ],
)
def test_place_is_what_a_lesion_touches(parts: BrainParts, mask: np.ndarray, place: str) -> None:
    assert places(mask, parts) == [place]


def test_a_gap_of_more_than_two_millimeters_does_not_touch(parts: BrainParts) -> None:
    assert places(box((24, 26), (15, 18), (19, 21)), parts) == ["other"]
    assert places(box((23, 26), (15, 18), (19, 21)), parts) == ["periventricular"]


def test_thick_slices_touch_by_their_border(parts: BrainParts) -> None:
    coarse = np.diag([1.0, 1.0, 4.0, 1.0])
    coarse[2, 3] = 1.5  # of four slices the middle
    mask = np.zeros((40, 40, 10), bool)
    mask[10, 15, 8] = True  # z from 32 to 35
    assert places(mask, parts, coarse) == ["juxtacortical"]


def test_lesions_are_listed_by_volume_with_a_center_inside(parts: BrainParts) -> None:
    ring = box((5, 12), (5, 12), (25, 26)) & ~box((6, 11), (6, 11), (25, 26))
    mask = ring | box((30, 32), (5, 7), (25, 27))
    affine = np.diag([-2.0, 1.0, 1.0, 1.0])
    lesions = find_lesions(mask, affine, {}, parts=parts, probability=np.where(ring, 0.75, 0.5))
    assert [lesion.number for lesion in lesions] == [1, 2]
    assert [lesion.volume_ml for lesion in lesions] == pytest.approx([0.048, 0.016])
    assert [lesion.probability for lesion in lesions] == pytest.approx([0.75, 0.5])
    for lesion in lesions:
        voxel = np.linalg.solve(affine, [*lesion.center, 1])[:3]
        assert mask[tuple(voxel.round().astype(int))]


def test_probability_is_nan_without_a_map(parts: BrainParts) -> None:
    (lesion,) = find_lesions(box((10, 13), (15, 18), (25, 28)), AFFINE, {}, parts=parts)
    assert np.isnan(lesion.probability)


def test_no_lesions_need_no_images() -> None:
    assert find_lesions(np.zeros(SHAPE, bool), AFFINE, {}) == []


def test_place_is_unknown_where_there_is_hardly_a_brain(caplog: pytest.LogCaptureFixture) -> None:
    mask = box((10, 13), (15, 18), (25, 28))
    with caplog.at_level(logging.WARNING):
        (lesion,) = find_lesions(mask, AFFINE, {"FLAIR": np.ones(SHAPE, np.float32)}, name="a.nii.gz")
    assert lesion.place == "unknown"
    assert "a.nii.gz: where the brain lies was not found" in caplog.text


@pytest.mark.parametrize("images", [{}, {"T2w": np.ones(SHAPE)}])
def test_place_is_unknown_without_t1w_and_flair(images: dict[str, np.ndarray]) -> None:
    (lesion,) = find_lesions(box((10, 13), (15, 18), (25, 28)), AFFINE, images)
    assert lesion.place == "unknown"


def test_images_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="T1w or FLAIR"):
        find_lesions(box((10, 13), (15, 18), (25, 28)), AFFINE, {"FLAIR": np.ones((2, 2, 2))})
