"""A training that is killed goes on as if it had not been."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.bundles.bundle_configs import ALL, BundleConfigs
from tests.bundles.killed_trainings import differing_weights, train_to_the_end, train_with_kills

CASES = [(bundle, 0) for bundle in ALL] + [(ALL[3], 2)]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("bundle", "num_workers"), CASES, ids=lambda value: getattr(value, "name", value))
def test_killed_three_times_it_has_the_weights_of_one_that_was_not(
    bundle: BundleConfigs, num_workers: int, dataset: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"num_workers": num_workers}
    seconds = train_to_the_end(bundle, tmp_path / "whole", dataset, **settings)
    draw = random.Random(num_workers)
    moments = [draw.uniform(0.1, 0.7) * seconds for _ in range(3)]
    train_with_kills(bundle, tmp_path / "killed", dataset, moments, **settings)
    assert differing_weights(tmp_path / "whole", tmp_path / "killed") == []
