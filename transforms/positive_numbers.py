"""Settings that are positive numbers, or null."""

from __future__ import annotations

import math
from typing import Any

from ..datasets.input_error import InputError


def require_positive(name: str, value: Any) -> None:
    """Check a setting.

    Args:
        name: id of the setting.
        value: of it; None stands for none.

    Raises:
        InputError: if it is neither None nor a positive, finite number.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 < value < math.inf):
        remedy = "give one as 0.0001, or null"
        raise InputError.at(f"`{name}` {value}", "must be a positive number", remedy)
