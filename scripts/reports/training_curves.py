"""The figure of a training's curves, kept with its records."""

from __future__ import annotations

from pathlib import Path

from ..running.tracking import log_artifacts, read_curves
from .lesion_figures import curve_figure


def log_training_figure(store: Path) -> None:
    """Draw the curves of the latest run of an MLflow store and keep the figure as its artifact."""
    if curves := read_curves(store.parent):
        picture = store.parent / "training_curves.png"
        picture.write_bytes(curve_figure(curves))
        log_artifacts(store, [picture])
