"""Conditions of an evaluation: values of config ids that are varied, such as mask, noise or scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

from .configuration import Configuration

Condition = dict[str, Any]
"""Config ids and their values."""


def all_conditions(configuration: Configuration, vary: Sequence[Sequence[Condition]] = ()) -> list[Condition]:
    """Return every combination of one of each of ``vary``, and of the config's own list ``vary``, each once.

    Raises:
        InputError: if the configs have not an id that is to vary.
    """
    choices = [*([configuration.value("vary")] if "vary" in configuration else []), *vary]
    combinations = [{name: value for part in parts for name, value in part.items()} for parts in product(*choices)]
    configuration.require(name for condition in combinations for name in condition)
    return list({condition_name(condition): condition for condition in combinations}.values())


def condition_name(condition: Condition) -> str:
    """Return a name for files, such as ``mask-radial_acceleration-6``; empty where nothing varies."""
    words = (f"{name.rpartition('::')[2]}-{value}" for name, value in condition.items())
    return "_".join(re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in words)
