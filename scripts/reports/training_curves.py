"""Curves of trainings: loss and metrics over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from ..running.tracking import Curves, log_artifacts, read_curves
from .charts import COLORS, chart_panels, to_png


def training_figure(trainings: Mapping[str, Sequence[Curves]]) -> bytes:
    """Show a panel for each recorded quantity, in it a line for each training of each named network."""
    names = dict.fromkeys(name for runs in trainings.values() for curves in runs for name in curves)
    figure, panels = chart_panels(max(len(names), 1), 3.7, 2.6)
    for panel, name in zip(panels, names, strict=False):
        for number, (network, runs) in enumerate(trainings.items()):
            lines = [curves[name] for curves in runs if name in curves]
            for line, label in zip(lines, [network, *[None] * len(lines)], strict=False):
                panel.plot(*line, color=COLORS[number % len(COLORS)], linewidth=1.2, alpha=0.8, label=label)
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("iteration or epoch", fontsize=9)
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if len(trainings) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside right upper")
    return to_png(figure)


def log_training_figure(store: Path) -> None:
    """Draw the curves of the latest run of an MLflow store and keep the figure as its artifact."""
    if curves := read_curves(store.parent):
        picture = store.parent / "training_curves.png"
        picture.write_bytes(training_figure({"": [curves]}))
        log_artifacts(store, [picture])
