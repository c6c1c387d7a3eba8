"""Tests of transforms.lesions."""

import numpy as np
import pytest
from scipy import ndimage

from mri_attention.simulation.lesions import (
    LARGEST,
    LOG_VOLUME_MEAN,
    PLACES,
    grow_lesions,
    lesion_places,
    remove_small,
    vary_severity,
)

SHAPE = (60, 60, 60)


@pytest.fixture(scope="module")
def brain() -> dict[str, np.ndarray]:
    """A ball of white matter with a ventricle inside, a shell of gray matter and a part below the tentorium."""
    points = np.stack(np.meshgrid(*[np.arange(n) - n / 2 for n in SHAPE], indexing="ij"))
    radius = np.sqrt((points**2).sum(0))
    maps = {
        "white_matter": (radius > 6) & (radius <= 22),
        "gray_matter": (radius > 22) & (radius <= 26),
        "ventricles": radius <= 6,
        "infratentorial": (points[2] < -12) & (radius <= 26),
    }
    return {name: mask.astype(np.float32) for name, mask in maps.items()}


def test_places_share_out_the_white_matter(brain: dict[str, np.ndarray]) -> None:
    places = lesion_places(**brain, voxel_size=1.0)
    assert list(places) == list(PLACES)
    np.testing.assert_array_equal(sum(places.values()), brain["white_matter"])


def test_places_lie_where_their_names_say(brain: dict[str, np.ndarray]) -> None:
    places = lesion_places(**brain, voxel_size=1.0)
    to_ventricle = ndimage.distance_transform_edt(1 - brain["ventricles"])
    to_cortex = ndimage.distance_transform_edt(1 - brain["gray_matter"])
    assert to_ventricle[places["periventricular"]].max() <= 5
    assert to_cortex[places["juxtacortical"]].max() <= 2.5
    assert brain["infratentorial"][places["infratentorial"]].all()


def test_distances_are_in_millimeters(brain: dict[str, np.ndarray]) -> None:
    fine = lesion_places(**brain, voxel_size=0.5)["periventricular"].sum()
    assert fine > lesion_places(**brain, voxel_size=1.0)["periventricular"].sum()


@pytest.mark.parametrize("voxel_size", [0.7, 1.0])
def test_single_lesions_have_the_volumes_that_were_drawn(brain: dict[str, np.ndarray], voxel_size: float) -> None:
    places = {name: np.zeros(SHAPE, bool) for name in PLACES}
    places["deep"][30, 30, 30] = True
    rng = np.random.default_rng(0)
    volumes = np.array([(grow_lesions(places, 1, voxel_size, rng) > 0.5).sum() * voxel_size**3 for _ in range(150)])
    assert np.log(volumes[volumes > 0]).mean() == pytest.approx(LOG_VOLUME_MEAN, abs=0.45)
    assert volumes.max() < 2 * LARGEST


def test_borders_are_soft(brain: dict[str, np.ndarray]) -> None:
    shares = grow_lesions(lesion_places(**brain, voxel_size=1.0), 20, 1.0, np.random.default_rng(1))
    assert ((shares > 0.1) & (shares < 0.9)).sum() > 0.3 * (shares > 0.5).sum()
    assert 0 <= shares.min() <= shares.max() <= 1


def test_lesions_at_the_edge_of_the_volume_are_cut_off() -> None:
    places = {name: np.zeros((9, 9, 9), bool) for name in PLACES}
    places["deep"][0, 8, 0] = True
    assert grow_lesions(places, 5, 1.0, np.random.default_rng(2))[0, 8, 0] > 0


def test_severity_is_one_value_a_lesion() -> None:
    shares = np.zeros((20, 20, 20), np.float32)
    shares[2:6, 2:6, 2:6] = shares[12:17, 12:17, 12:17] = 1
    severity = vary_severity(shares, np.random.default_rng(0), low=0.4, high=0.9)
    assert np.unique(severity[2:6, 2:6, 2:6]).size == np.unique(severity[12:17, 12:17, 12:17]).size == 1
    assert severity[3, 3, 3] != severity[13, 13, 13]
    assert 0.4 <= severity.min() <= severity.max() <= 0.9


def test_severity_without_lesions_is_one() -> None:
    assert (vary_severity(np.zeros((4, 4, 4), np.float32), np.random.default_rng(0)) == 1).all()


def test_small_components_are_removed_by_their_volume() -> None:
    mask = np.zeros((9, 9, 9), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True  # two voxels that touch at a corner
    mask[5:7, 5:7, 5:7] = True
    assert remove_small(mask, 3.0, 1.0).sum() == 8
    assert remove_small(mask, 3.0, 2.0).sum() == 10
