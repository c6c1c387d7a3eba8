"""Tests of the lesion volume and its interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import Case
from mri_attention.scripts.reports.lesion_volume import volume_interval, volume_text
from mri_attention.scripts.reports.overviews import write_overview
from mri_attention.scripts.reports.study_columns import dictionary
from mri_attention.scripts.reports.study_measures import write_measures
from mri_attention.scripts.running.bundle import Bundle
from mri_attention.scripts.running.prediction import Prediction
from mri_attention.scripts.running.volume_levels import VolumeLevels
from tests.scripts.conftest import write_image

AFFINE = np.diag([2.0, 1, 1, 1])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A lesion of 100 voxels of 2 mm^3 with a rim of as many, and a faint spot of 3."""
    probability = np.zeros((20, 20, 10), np.float32)
    probability[2:12, 2:12, 3:5] = 0.3
    probability[2:12, 2:12, 3] = 0.7
    probability[4:6, 4:6, 3] = 0.95
    probability[16, 16:19, 8] = 0.3
    images = {"mask": (probability > 0.5).astype(np.uint8), "probseg": probability}
    return [write_image(tmp_path / f"sub-01_label-lesion_{name}.nii.gz", each, AFFINE) for name, each in images.items()]


def prediction_of(files: list[Path], levels: VolumeLevels | None) -> Prediction:
    return Prediction(Case("sub-01", image=[str(files[-1])]), files, contrasts=["T2w"], volume_levels=levels)


def test_the_ends_are_the_volumes_of_the_thresholds_without_small_lesions(files: list[Path]) -> None:
    found = [volume_interval(prediction_of(files, VolumeLevels(0.2, 0.9, smallest))) for smallest in (0, 7)]
    assert found == [pytest.approx((0.008, 0.406)), pytest.approx((0.008, 0.4))]


def test_the_volume_of_the_result_is_never_outside(files: list[Path]) -> None:
    assert volume_interval(prediction_of(files, VolumeLevels(0.8, 0.9))) == pytest.approx((0.008, 0.2))
    assert volume_interval(prediction_of(files, VolumeLevels(0.1, 0.2))) == pytest.approx((0.2, 0.406))


def test_there_is_none_without_thresholds_or_probability(files: list[Path]) -> None:
    assert volume_interval(prediction_of(files, None)) is None
    assert volume_interval(prediction_of(files[:1], VolumeLevels(0.2, 0.9))) is None


def test_it_is_told_with_the_volume(files: list[Path]) -> None:
    assert volume_text(8.123) == "8.12 ml"
    assert volume_text(8.1, (6.9, 9.8)) == "8.1 ml (6.9 to 9.8)"
    told = [write_overview(prediction_of(files, levels)) for levels in (None, VolumeLevels(0.2, 0.9))]
    assert [found[0] for found in told if found] == ["1 lesions, 0.2 ml", "1 lesions, 0.2 ml (0.008 to 0.406)"]


def test_it_is_in_the_table_of_all_cases(files: list[Path], tiny_bundle: Path) -> None:
    path = write_measures(prediction_of(files, VolumeLevels(0.2, 0.9)), Bundle.find(tiny_bundle))
    assert path is not None
    measures = json.loads(path.read_text())
    assert (measures["lesion_volume_low"], measures["lesion_volume_high"]) == (0.008, 0.406)
    assert all(column["Units"] == "mL" for column in dictionary(["lesion_volume_low", "lesion_volume_high"]).values())
