"""What a check found out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

Status = Literal["PASS", "WARN", "FAIL", "SKIP"]


@dataclass(frozen=True)
class Outcome:
    """One line of the report.

    Attributes:
        status: FAIL where the bundle breaks a rule, WARN where a person should look, SKIP where it was not checked.
        reason: what was found.
    """

    status: Status
    reason: str


passed, warned = partial(Outcome, "PASS"), partial(Outcome, "WARN")
failed, skipped = partial(Outcome, "FAIL"), partial(Outcome, "SKIP")
"""Make the outcome of a reason."""


def told(problems: list[str], otherwise: str) -> Outcome:
    """Return a failure that tells ``problems``, or that all is well where there are none."""
    return failed(listed(problems)) if problems else passed(otherwise)


def listed(problems: list[str], limit: int = 4) -> str:
    """Join the first ``limit`` of ``problems``, and tell how many more there are."""
    more = f"; and {len(problems) - limit} more" if len(problems) > limit else ""
    return "; ".join(problems[:limit]) + more
