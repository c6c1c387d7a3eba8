"""A training that is killed goes on as if it had not been."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bundles.bundle_configs import ALL, BundleConfigs
from tests.bundles.killed_trainings import Child, differing_weights, train_with_kills

CASES = [(bundle, 0) for bundle in ALL] + [(ALL[3], 2)]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("bundle", "num_workers"), CASES, ids=lambda value: getattr(value, "name", value))
def test_killed_three_times_it_has_the_weights_of_one_that_was_not(
    bundle: BundleConfigs, num_workers: int, dataset: Path, tmp_path: Path
) -> None:
    whole, killed, draw = tmp_path / "whole", tmp_path / "killed", random.Random(num_workers)
    seconds = Child(bundle, whole, dataset, num_workers=num_workers).finish()
    train_with_kills(bundle, killed, dataset, seconds, draw, num_workers=num_workers)
    assert differing_weights(whole, killed) == []
