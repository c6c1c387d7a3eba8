"""Tests of choosing on left-out patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mri_attention.metrics import match_lesions
from mri_attention.scripts.running.calibration import Chosen, calibrate, choose, mean_over_patients, outcome
from mri_attention.scripts.running.left_out import LeftOutMap, Surroundings
from mri_attention.transforms.lesion_borders import grow_to_half_maximum
from mri_attention.transforms.small_lesions import drop_small_lesions
from tests.scripts.left_out_heads import SCALE, images_of


def left_out(patient: str, seed: int, visit: str = "", network: str = "default-0") -> LeftOutMap:
    return LeftOutMap.of((patient, f"{patient}{visit}", network), images_of(seed), 1.0)


@pytest.fixture(scope="module")
def maps() -> list[LeftOutMap]:
    return [left_out(f"sub-{number}", number) for number in range(3)]


def test_the_temperature_is_that_which_made_the_network_too_sure(maps: list[LeftOutMap]) -> None:
    assert choose(maps).temperature == pytest.approx(SCALE, rel=0.05)


def test_the_choice_for_a_patient_never_uses_its_own_truth(maps: list[LeftOutMap]) -> None:
    first, *others = maps
    nothing = replace(first, truth=np.zeros_like(first.truth))
    before, after = calibrate(maps)[0], calibrate([nothing, *others])[0]
    assert after[0].chosen == before[0].chosen
    assert after[0].outcomes[0].match.dice != before[0].outcomes[0].match.dice
    assert after[1].chosen != before[1].chosen


def test_threshold_and_smallest_lesion_are_the_best_of_all(maps: list[LeftOutMap]) -> None:
    chosen = choose(maps)

    def score(threshold: float, smallest: float) -> float:
        tried = replace(chosen, threshold=threshold, smallest_lesion=smallest)
        matches = [outcome(each, tried).match for each in maps]
        return float(np.mean([(match.dice + match.f1()) / 2 for match in matches]))

    best = score(chosen.threshold, chosen.smallest_lesion)
    assert all(best >= score(threshold, size) for threshold in (0.1, 0.3, 0.5, 0.9) for size in (0.0, 5.0, 20.0))


def test_what_is_applied_is_what_the_config_would_do(maps: list[LeftOutMap]) -> None:
    probability, truth, _ = images_of(0)
    found = outcome(maps[0], Chosen(1.0, 0.3, 0.0, (0.1, 0.9), 1.0))
    np.testing.assert_equal(found.match.as_row(), match_lesions(probability >= 0.3, truth).as_row())
    assert found.volumes == (np.count_nonzero(probability >= 0.9), np.count_nonzero(probability >= 0.1))


def test_the_interval_holds_the_volume_that_is_told_and_most_true_ones(maps: list[LeftOutMap]) -> None:
    chosen = choose(maps)
    assert chosen.interval[0] <= chosen.threshold <= chosen.interval[1]
    assert chosen.coverage >= 0.8
    found = [outcome(each, chosen) for each in maps]
    assert np.mean([each.is_covered for each in found]) == pytest.approx(chosen.coverage)
    assert all(each.volumes[0] <= each.match.predicted_volumes.sum() <= each.volumes[1] for each in found)


def test_an_interval_that_cannot_hold_enough_is_the_widest(
    maps: list[LeftOutMap], caplog: pytest.LogCaptureFixture
) -> None:
    nothing = [replace(each, truth=np.zeros_like(each.truth)) for each in maps]
    _, chosen = calibrate(nothing)
    assert (chosen.interval, chosen.coverage) == ((0.01, 0.99), 0.0)
    assert "holds the true one of 0 % of the visits, not of 80 %" in caplog.text


def test_a_temperature_at_the_end_of_its_range_is_told(
    maps: list[LeftOutMap], caplog: pytest.LogCaptureFixture
) -> None:
    calibrate([replace(each, truth=each.probability < 1e-3) for each in maps])
    assert "the temperature is 10, the end of its range" in caplog.text


def test_patients_count_equally_whatever_their_visits_and_seeds() -> None:
    values = {"a": 1.0, "b1": 2.0, "b2": 4.0}
    maps = [left_out("a", 0), left_out("b", 1, "1"), left_out("b", 1, "2"), left_out("b", 1, "2", "default-1")]
    assert mean_over_patients(maps, lambda each: values[each.visit]) == pytest.approx((1 + 3) / 2)
    undefined = values | {"b1": np.nan}
    assert mean_over_patients(maps, lambda each: undefined[each.visit]) == pytest.approx((1 + 4) / 2)


def cores(patient: str, seed: int, brightness: float = 3.0) -> tuple[LeftOutMap, np.ndarray, np.ndarray]:
    """Three bright balls in a brain, of which the network finds the middle, with some specks beside."""
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*map(np.arange, (40, 40, 40)), indexing="ij"), -1)
    distance = np.min(
        [np.linalg.norm(grid - place, axis=-1) for place in ((10, 10, 10), (28, 12, 20), (15, 28, 28))], 0
    )
    flair = (1 + brightness / (1 + np.exp(4 * (distance - 6)))).astype(np.float32)
    probability = np.where(distance <= 4, 0.95, 0.02) * generator.uniform(0.9, 1, distance.shape)
    probability[generator.random(distance.shape) < 1e-3] = 0.5
    images = (probability.astype(np.float32), distance <= 6, probability >= 0.9)
    around = Surroundings(flair, 1.0, (1.0, 1.0, 1.0))
    return LeftOutMap.of((patient, patient, "default-0"), images, 1.0, around), flair, images[0]


def test_lesions_grow_where_that_is_nearer_to_the_truth() -> None:
    found = [cores(f"sub-{number}", number) for number in range(2)]
    chosen = choose([each for each, *_ in found])
    assert chosen.grow
    assert chosen.interval[0] <= chosen.threshold <= chosen.interval[1]
    for each, flair, probability in found:
        threshold = 1 / (1 + (1 / chosen.threshold - 1) ** chosen.temperature)
        seeds = drop_small_lesions(probability >= threshold, 1.0, chosen.smallest_lesion)
        truth = each._in_box(each.truth)  # of the whole image here
        expected = match_lesions(grow_to_half_maximum(seeds, flair, normal=1.0), truth)
        result = outcome(each, chosen)
        np.testing.assert_equal(result.match.as_row(), expected.as_row())
        assert result.match.dice > 0.8 > outcome(each, replace(chosen, grow=False)).match.dice
        assert result.volumes[0] <= result.match.predicted_volumes.sum() <= result.volumes[1]


def test_lesions_do_not_grow_where_that_brings_nothing_or_cannot_be_tried() -> None:
    dark = [cores(f"sub-{number}", number, brightness=0.0)[0] for number in range(2)]
    assert not choose(dark).grow
    bright, unknown = cores("sub-0", 0)[0], replace(cores("sub-1", 1)[0], surroundings=None)
    assert not choose([bright, unknown]).grow
    nested, chosen = calibrate([bright, unknown])
    assert not any(each.grow for each in (chosen, *(patient.chosen for patient in nested)))


def test_what_is_chosen_stays_a_threshold_whatever_the_temperature() -> None:
    maps = [cores(f"sub-{number}", number)[0] for number in range(2)]
    sure = [replace(each, truth=each.probability > 0.4) for each in maps]
    chosen = choose(sure)
    assert chosen.temperature < 0.5
    assert 0.01 <= chosen.threshold <= 0.99
    assert round(chosen.interval[1], 3) < 1
