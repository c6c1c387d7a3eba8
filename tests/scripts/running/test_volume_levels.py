"""Tests of the thresholds of the volume interval in a config."""

from __future__ import annotations

from typing import Any

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.volume_levels import VolumeLevels
from tests.scripts.left_out_heads import BUNDLE


def levels_of(interval: Any, bundle: str = BUNDLE) -> VolumeLevels | None:
    settings = {} if interval == "default" else {"volume_interval": interval, "smallest_lesion": 3}
    return VolumeLevels.of(Configuration(Bundle.find(bundle), ["inference"], settings))


def test_they_come_with_the_smallest_lesion() -> None:
    assert levels_of([0.1, 0.9]) == VolumeLevels(0.1, 0.9, 3.0)


def test_a_bundle_without_them_has_none() -> None:
    assert levels_of(None) is None
    assert levels_of("default", "brain_super_resolution_cftn") is None


@pytest.mark.parametrize("interval", [[0.9, 0.1], [0.1], 0.5, [0.0, 0.9], [0.1, 1.0], ["a", "b"]])
def test_others_are_refused(interval: Any) -> None:
    with pytest.raises(InputError, match="not two thresholds, the lower one first"):
        levels_of(interval)
