"""The picture of what became of lesions between two visits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ...metrics.change_classes import CLASSES
from ..running.visit_pairs import VisitPair
from .axial_slices import display_window, select_slices
from .slice_panels import SlicePanels

COLORS: Mapping[str, str] = {
    "new": "#ff453a",
    "enlarging": "#ff9f0a",
    "stable": "#9aa3ae",
    "shrinking": "#32ade6",
    "vanished": "#3d7dff",
    "uncertain": "#ffe14d",
}
"""Of each class of lesions."""

LIMIT = 5.0  # standard deviations of the difference, at full color
GAP = 8.0  # mm between slices


def change_figure(pair: VisitPair, title: str, n_slices: int = 6) -> bytes:
    """Show axial slices with most of what changed: both visits, the changes over the later one, the difference.

    Whole lesions are outlined in the color of their class; voxels that were gained or lost are filled.
    """
    voxel_size = np.linalg.norm(pair.affine[:3, :3], axis=0).tolist()
    before, after = pair.images
    classes = pair.changes.classes
    columns = sorted(_slices(classes, n_slices, max(round(GAP / voxel_size[2]), 1)))
    window = display_window(after)
    panels = SlicePanels(4, len(columns), after, voxel_size, headroom=0.35)
    for column, index in enumerate(columns):
        for row, image in enumerate((before, after, after)):
            panels.show(panels.axes[row, column], image, index, window)
        panels.show(panels.axes[3, column], pair.difference, index, (-LIMIT, LIMIT), cmap="RdBu_r")
        for name in CLASSES:
            lesions = classes == CLASSES.index(name) + 1
            panels.fill(panels.axes[2, column], lesions & _changed(pair, name), index, COLORS[name])
            panels.contour(panels.axes[2, column], lesions, index, COLORS[name])
    for row, name in enumerate(_row_names(pair)):
        axis = panels.axes[row, 0]
        color = "black" if row == len(panels.axes) - 1 else "white"  # no difference is white
        axis.text(0.03, 0.03, name, color=color, fontsize=8, transform=axis.transAxes)
    panels.head(title)
    panels.legend([Patch(color=color, label=name) for name, color in COLORS.items()])
    return panels.png()


def _slices(classes: NDArray[np.uint8], n_slices: int, gap: int) -> list[int]:
    """Choose slices by what changed, or by all lesions where nothing did."""
    changed = (classes > 0) & (classes != CLASSES.index("stable") + 1)
    return select_slices(changed if changed.any() else classes > 0, n_slices, gap)


def _changed(pair: VisitPair, name: str) -> NDArray[np.bool_]:
    """Return which voxels of a class make it: of stable lesions none."""
    earlier, later = pair.masks
    if name in ("new", "enlarging"):
        return later & ~earlier
    if name in ("shrinking", "vanished"):
        return earlier & ~later
    return earlier ^ later if name == "uncertain" else np.zeros_like(earlier)


def _row_names(pair: VisitPair) -> tuple[str, ...]:
    return pair.earlier.visit.session, pair.later.visit.session, "changes", f"difference, +-{LIMIT:g} SD"
