"""Tests of metrics.lesion_changes on balls whose changes are known."""

import numpy as np
import pytest

from mri_attention.metrics.change_classes import CLASSES, ChangeRule, LesionChange
from mri_attention.metrics.lesion_changes import find_changes

SHAPE = (64, 40, 24)
VOXELS = (1.0, 1.0, 1.0)
EXCHANGED = {"new": "vanished", "vanished": "new", "enlarging": "shrinking", "shrinking": "enlarging"}


def ball(center: tuple[int, int, int], radius: float) -> np.ndarray:
    points = np.stack(np.indices(SHAPE), -1)
    return np.linalg.norm(points - center, axis=-1) <= radius


def nothing() -> np.ndarray:
    return np.zeros(SHAPE, bool)


@pytest.fixture(scope="module")
def visits() -> tuple[np.ndarray, np.ndarray]:
    """One lesion of each class but the last, all apart."""
    stays = ball((10, 10, 12), 5)
    earlier = stays | ball((30, 10, 12), 4) | ball((50, 10, 12), 6) | ball((10, 30, 12), 4)
    later = stays | ball((30, 10, 12), 6) | ball((50, 10, 12), 4) | ball((30, 30, 12), 4)
    return earlier, later


def by_name(changes: list[LesionChange]) -> dict[str, list[tuple[int, int, int]]]:
    return {name: sorted(c.center for c in changes if c.name == name) for name in CLASSES}


def test_each_change_is_found_where_it_is(visits: tuple[np.ndarray, np.ndarray]) -> None:
    found = find_changes(*visits, VOXELS)
    assert by_name(found.changes) == {
        "new": [(30, 30, 12)],
        "enlarging": [(30, 10, 12)],
        "stable": [(10, 10, 12)],
        "shrinking": [(50, 10, 12)],
        "vanished": [(10, 30, 12)],
        "uncertain": [],
    }
    assert found.counts == {name: int(name != "uncertain") for name in CLASSES}


def test_exchanging_the_visits_exchanges_the_classes(visits: tuple[np.ndarray, np.ndarray]) -> None:
    forward, backward = find_changes(*visits, VOXELS), find_changes(*visits[::-1], VOXELS)
    np.testing.assert_array_equal(forward.groups, backward.groups)
    for one, other in zip(forward.changes, backward.changes, strict=True):
        assert other.name == EXCHANGED.get(one.name, one.name)
        assert (other.earlier, other.later, other.limit) == (one.later, one.earlier, one.limit)


def test_the_label_image_holds_each_lesion_in_the_label_of_its_class(visits: tuple[np.ndarray, np.ndarray]) -> None:
    found = find_changes(*visits, VOXELS)
    np.testing.assert_array_equal(found.classes > 0, visits[0] | visits[1])
    for change in found.changes:
        assert CLASSES[found.classes[change.center] - 1] == change.name


def test_volumes_are_in_cubic_millimeters() -> None:
    lesion = ball((20, 20, 12), 3)
    (change,) = find_changes(lesion, lesion, (2.0, 1.0, 0.5)).changes
    assert change.earlier == change.later == lesion.sum()
    (change,) = find_changes(lesion, lesion, (2.0, 1.0, 3.0)).changes
    assert change.earlier == 6 * lesion.sum()


def test_lesions_that_merge_are_one_lesion() -> None:
    apart = ball((20, 20, 12), 4) | ball((31, 20, 12), 4)
    merged = ball((20, 20, 12), 5) | ball((31, 20, 12), 5)
    (change,) = find_changes(apart, merged, VOXELS).changes
    assert (change.name, change.n_earlier, change.n_later) == ("enlarging", 2, 1)
    (change,) = find_changes(merged, apart, VOXELS).changes
    assert (change.name, change.n_earlier, change.n_later) == ("shrinking", 1, 2)


@pytest.mark.parametrize(("gap", "n_lesions"), [(0, 1), (1, 2)])
def test_lesions_within_one_voxel_of_each_other_are_the_same(gap: int, n_lesions: int) -> None:
    earlier, later = nothing(), nothing()
    earlier[10:14, 10:14, 10:14] = True
    later[14 + gap : 18 + gap, 14:18, 14:18] = True  # touches by a corner without a gap
    assert len(find_changes(earlier, later, VOXELS).changes) == n_lesions


@pytest.mark.parametrize(("radius", "name"), [(5.2, "stable"), (6.0, "enlarging")])
def test_an_outline_that_shifts_by_less_than_half_a_millimeter_is_no_change(radius: float, name: str) -> None:
    (change,) = find_changes(ball((20, 20, 12), 5), ball((20, 20, 12), radius), VOXELS).changes
    assert change.name == name
    sphere = 4 * np.pi * np.mean([5**2, radius**2])
    assert change.limit == pytest.approx(0.5 * sphere, rel=0.15)


def test_growth_at_one_end_of_a_large_lesion_is_found() -> None:
    earlier = nothing()
    earlier[4:60, 10:30, 4:20] = True
    later = earlier | ball((30, 32, 12), 5)
    (change,) = find_changes(earlier, later, VOXELS).changes
    assert (change.name, change.by_masks) == ("enlarging", "stable")
    assert change.later - change.earlier < change.limit
    assert change.gained == (later & ~earlier)[:, 31:].sum()
    (change,) = find_changes(later, earlier, VOXELS).changes
    assert (change.name, change.lost) == ("shrinking", (later & ~earlier)[:, 31:].sum())
    both = earlier.copy()
    both[:, :14] = False
    (change,) = find_changes(both | (later & ~earlier), earlier, VOXELS).changes
    assert change.name == "enlarging"  # gained more than it lost


def test_growth_at_one_end_counts_where_the_images_show_it() -> None:
    earlier = nothing()
    earlier[4:60, 10:30, 4:20] = True
    later = earlier | ball((30, 32, 12), 5)
    (change,) = find_changes(earlier, later, VOXELS, np.zeros(SHAPE)).changes
    assert (change.name, change.gained) == ("stable", 0)
    (change,) = find_changes(earlier, later, VOXELS, 2.0 * (later & ~earlier)).changes
    assert change.name == "enlarging"


def test_parts_that_were_gained_while_the_volume_fell_are_uncertain() -> None:
    earlier, later = nothing(), nothing()
    earlier[4:60, 10:30, 4:20] = True
    later[4:60, 11:30, 4:20] = True  # a layer that a border may lose
    later |= ball((30, 32, 12), 5)
    (change,) = find_changes(earlier, later, VOXELS).changes
    assert change.earlier > change.later
    assert change.gained > 100
    assert (change.name, change.by_masks) == ("uncertain", "stable")
    assert find_changes(later, earlier, VOXELS).counts["uncertain"] == 1


def test_lesions_below_the_smallest_volume_are_uncertain() -> None:
    found = find_changes(ball((20, 20, 12), 1), ball((40, 20, 12), 1), VOXELS)  # 7 mm^3
    assert [(change.name, change.by_masks) for change in found.changes] == [
        ("uncertain", "vanished"),
        ("uncertain", "new"),
    ]
    assert find_changes(nothing(), ball((40, 20, 12), 1), VOXELS, rule=ChangeRule(min_volume=7)).counts["new"] == 1


def test_what_the_images_do_not_show_is_uncertain(visits: tuple[np.ndarray, np.ndarray]) -> None:
    earlier, later = visits
    difference = np.full(SHAPE, 0.3)
    found = find_changes(earlier, later, VOXELS, difference)
    assert {change.name for change in found.changes} == {"stable", "uncertain"}
    shown = difference + 4.0 * later - 4.0 * earlier
    assert find_changes(earlier, later, VOXELS, shown).counts == find_changes(earlier, later, VOXELS).counts
    supports = [c.support for c in find_changes(earlier, later, VOXELS, shown).changes if c.name != "stable"]
    np.testing.assert_allclose(supports, 4.0)


def test_a_difference_of_the_whole_place_is_no_support() -> None:
    lesion = ball((20, 20, 12), 4)
    everywhere = np.where(ball((20, 20, 12), 12), 5.0, 0.0)  # as coil sensitivity makes it
    (change,) = find_changes(nothing(), lesion, VOXELS, everywhere).changes
    assert (change.name, change.support) == ("uncertain", 0)


def test_where_no_intensity_is_known_masks_count() -> None:
    lesion = ball((20, 20, 12), 4)
    (change,) = find_changes(nothing(), lesion, VOXELS, np.full(SHAPE, np.nan)).changes
    assert change.name == "new"
    assert np.isnan(change.support)


def test_no_lesions_are_no_changes() -> None:
    found = find_changes(nothing(), nothing(), VOXELS, np.zeros(SHAPE))
    assert found.changes == []
    assert not found.classes.any()


def test_refuses_masks_of_different_shapes() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        find_changes(nothing(), nothing()[1:], VOXELS)
