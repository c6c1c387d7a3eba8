"""Bars side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def grouped_bars(groups: Sequence[str], panels: Mapping[str, Mapping[str, Sequence[float]]]) -> bytes:
    """Plot one panel for each quantity, in each group one bar for each series, as PNG.

    Args:
        groups: labels below the bars.
        panels: for each quantity, the heights of each series, one for each group.
    """
    from ..reports.charts import chart_panels, to_png

    n_bars = len(groups) * max(len(series) for series in panels.values())
    figure, axes = chart_panels(len(panels), 2 + 0.8 * n_bars, 4)
    for axis, (quantity, series) in zip(axes, panels.items(), strict=True):
        width = 0.8 / len(series)
        for index, (name, heights) in enumerate(series.items()):
            shift = (index - (len(series) - 1) / 2) * width
            axis.bar([place + shift for place in range(len(groups))], heights, width, label=name)
        axis.set_xticks(range(len(groups)), groups)
        axis.set_ylabel(quantity)
        axis.legend()
    return to_png(figure)
