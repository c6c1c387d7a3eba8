"""What charts share: colors of networks, panels, PNG."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLORS = ("#1f5fa8", "#d1622b", "#3a8f5c", "#8a5aa8", "#b8860b", "#5b6675", "#c2477f", "#2b9aa8")


def chart_panels(n_panels: int, width: float, height: float, n_columns: int = 3) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels of ``width x height`` inches, open above and on the right."""
    n_columns = min(n_panels, n_columns)
    n_rows = -(-n_panels // n_columns)
    figure = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
    panels = [figure.add_subplot(n_rows, n_columns, number + 1) for number in range(n_panels)]
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, panels


def to_png(figure: Figure, dpi: int = 120) -> bytes:
    """Return ``figure`` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor())
    return buffer.getvalue()
