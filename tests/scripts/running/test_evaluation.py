"""Tests of the values under which networks are evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from mri_attention.datasets import InputError
from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.evaluation import CONFIGS, all_conditions, condition_name


def configuration(*overlays: str, **settings: Any) -> Configuration:
    return Configuration(Bundle.find("guided_reconstruction_manet"), [*CONFIGS, *overlays], settings)


def test_nothing_varies_unless_asked() -> None:
    assert all_conditions(configuration()) == [{}]
    assert condition_name({}) == ""


def test_each_further_list_multiplies_and_equal_conditions_count_once() -> None:
    masks = [{"mask": mask, "acceleration": 3} for mask in ("random", "radial", "random")]
    found = all_conditions(configuration(), [masks, [{"noise": 0}, {"noise": 0.1}]])
    names = [condition_name(condition) for condition in found]
    assert names[:2] == ["mask-random_acceleration-3_noise-0", "mask-random_acceleration-3_noise-0.1"]
    assert len(names) == 4


def test_overlay_has_the_papers_conditions() -> None:
    assert len(all_conditions(configuration("conditions"))) == 12
    conditions = configuration("conditions")
    conditions.override({"vary": "$@fastmri"})
    fastmri = all_conditions(conditions)
    names = [f"{condition['mask']}-{condition['acceleration']}" for condition in fastmri]
    assert names == ["random-4", "random-8", "equispaced-4", "equispaced-8"]


def test_unknown_ids_cannot_vary() -> None:
    with pytest.raises(InputError, match="`threshold`: has no meaning for guided_reconstruction_manet"):
        all_conditions(configuration(), [[{"threshold": 1}]])
