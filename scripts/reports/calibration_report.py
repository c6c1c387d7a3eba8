"""What a calibration writes: tables, the reliability diagram, and the overlay of a bundle with what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from ..running.calibration import Chosen, Nested, Outcome
from ..running.records import write_json
from .calibration_tables import choice_table, measures, outcome_table
from .reliability_figure import reliability_figure
from .table import Table

WRITTEN = {
    "tables": "calibration.md",
    "numbers": "calibration.json",
    "reliability": "reliability.png",
    "overlay": "calibrated.yaml",
}
"""Files of a calibration."""


def write_calibration(
    nested: Sequence[Nested], chosen: Chosen, overlay: str, provenance: Mapping[str, Any], folder: Path
) -> list[Table]:
    """Write everything into ``folder``; return the tables.

    Args:
        nested: choices on the other patients, and what they make of each.
        chosen: on all patients.
        overlay: of a bundle's configs, see :func:`overlay_text`.
        provenance: what was read, and by which command.
        folder: of the output.
    """
    tables = [outcome_table(nested), choice_table(nested, chosen)]
    text = "\n".join(f"{table.markdown()}\n{table.caption}\n" for table in tables)
    contents = {"tables": f"{text}\n`{provenance['command']}`\n", "overlay": overlay}
    for name, content in contents.items():
        (folder / WRITTEN[name]).write_text(content, encoding="utf-8")
    write_json(_content(nested, chosen, provenance), folder / WRITTEN["numbers"])
    (folder / WRITTEN["reliability"]).write_bytes(reliability_figure(nested))
    return tables


def overlay_text(chosen: Chosen, n_patients: int, made_with: float = 1.0, grow: str | None = None) -> str:
    """Return the overlay of a bundle's configs that sets what was chosen.

    Args:
        chosen: on all patients.
        n_patients: their number.
        made_with: temperature of the softmax that made the maps, by which the one that was fitted is multiplied.
        grow: config id of growing; None for a bundle without it.
    """
    values = {
        "temperature": float(f"{made_with * chosen.temperature:.4g}"),
        "threshold": chosen.threshold,
        "smallest_lesion": chosen.smallest_lesion,
        "volume_interval": [round(end, 3) for end in chosen.interval],
        **({} if grow is None else {grow: chosen.grow}),
    }
    first = f"# Chosen by mri-attention calibrate on {n_patients} patients whom the networks had not seen."
    return f"{first}\n{yaml.safe_dump(values, sort_keys=False, default_flow_style=None)}"


def _content(nested: Sequence[Nested], chosen: Chosen, provenance: Mapping[str, Any]) -> dict[str, Any]:
    patients = [
        {"patient": each.patient, "chosen": asdict(each.chosen), "maps": list(map(_of_map, each.outcomes))}
        for each in nested
    ]
    return {"chosen": asdict(chosen), "patients": patients, "provenance": dict(provenance)}


def _of_map(outcome: Outcome) -> dict[str, Any]:
    return {
        "visit": outcome.map.visit,
        "network": outcome.map.network,
        "true_ml": outcome.map.true_volume / 1000,
        "before": measures(outcome.map.written, outcome.errors[0]),
        "after": measures(outcome.match, outcome.errors[1]),
        "interval_ml": [volume / 1000 for volume in outcome.volumes],
        "is_covered": outcome.is_covered,
    }
