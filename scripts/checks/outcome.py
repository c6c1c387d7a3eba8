"""What a check found out."""

from __future__ import annotations

from dataclasses import dataclass
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


def passed(reason: str) -> Outcome:
    """Return that all is well."""
    return Outcome("PASS", reason)


def warned(reason: str) -> Outcome:
    """Return that a person should look."""
    return Outcome("WARN", reason)


def failed(reason: str) -> Outcome:
    """Return that a rule is broken."""
    return Outcome("FAIL", reason)


def skipped(reason: str) -> Outcome:
    """Return that nothing was checked."""
    return Outcome("SKIP", reason)


def told(problems: list[str], otherwise: str) -> Outcome:
    """Return a failure that tells ``problems``, or that all is well where there are none."""
    return failed(listed(problems)) if problems else passed(otherwise)


def listed(problems: list[str], limit: int = 4) -> str:
    """Join the first ``limit`` of ``problems``, and tell how many more there are."""
    more = f"; and {len(problems) - limit} more" if len(problems) > limit else ""
    return "; ".join(problems[:limit]) + more
