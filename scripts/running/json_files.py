"""Records as JSON files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write ``content``, None in the place of every NaN, which JSON does not have."""
    text = json.dumps(without_nan(content), indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def without_nan(content: Any) -> Any:
    """Return ``content``, of dictionaries, lists and values, with None in the place of every NaN."""
    if isinstance(content, dict):
        return {name: without_nan(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content
