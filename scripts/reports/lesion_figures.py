"""Figures of segmentations and their errors, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from .axial_slices import select_slices
from .charts import COLORS, chart_panels, to_png
from .slice_panels import BRAIN, SlicePanels

TRUTH, PREDICTION = "#ffd24d", "#3fd0ff"
ERRORS = {
    "found (true positive)": "#35c759",
    "missed (false negative)": "#3d7dff",
    "wrong (false positive)": "#ff453a",
}


def segmentation_figure(
    images: Mapping[str, NDArray[Any]],
    truth: NDArray[Any],
    prediction: NDArray[Any],
    voxel_size: Sequence[float],
    n_slices: int = 3,
) -> bytes:
    """Show each contrast, truth, prediction and errors, in rows of axial slices with most lesion area.

    Args:
        images: RAS volumes ``(x, y, z)`` by contrast; the last one is the ground of the overlays.
        truth: mask of the same shape.
        prediction: mask of the same shape.
        voxel_size: mm along x, y, z.
        n_slices: rows at most.
    """
    truth, prediction = truth > 0, prediction > 0
    rows = select_slices(truth if truth.any() else prediction, n_slices, _gap(voxel_size))
    ground = list(images.values())[-1]
    errors = (truth & prediction, truth & ~prediction, prediction & ~truth)
    panels = SlicePanels(len(rows), len(images) + 3, ground, voxel_size)
    for row, index in zip(panels.axes, rows, strict=True):
        for axis, volume in zip(row, [*images.values(), ground, ground, ground], strict=True):
            panels.show(axis, volume, index)
        panels.contour(row[-3], truth, index, TRUTH)
        panels.contour(row[-2], prediction, index, PREDICTION)
        for mask, color in zip(errors, ERRORS.values(), strict=True):
            panels.fill(row[-1], mask, index, color)
    panels.name_columns([*images, "truth", "prediction", "errors"])
    handles = [Patch(color=color, label=label) for label, color in ERRORS.items()]
    panels.legend(handles)
    return panels.png()


def contour_figure(
    image: NDArray[Any],
    truth: NDArray[Any],
    masks: Mapping[str, tuple[NDArray[Any], str]],
    voxel_size: Sequence[float],
    n_slices: int = 3,
) -> bytes:
    """Show masks side by side as contours on one image, in rows of axial slices with most of ``truth``.

    Args:
        image: RAS volume ``(x, y, z)``.
        truth: mask that chooses the slices.
        masks: mask and color of each column by its title.
        voxel_size: mm along x, y, z.
        n_slices: rows at most.
    """
    rows = select_slices(truth, n_slices, _gap(voxel_size))
    panels = SlicePanels(len(rows), len(masks), image, voxel_size)
    for row, index in zip(panels.axes, rows, strict=True):
        for axis, (mask, color) in zip(row, masks.values(), strict=True):
            panels.show(axis, image, index)
            panels.contour(axis, mask, index, color)
    panels.name_columns(list(masks))
    return panels.png()


def overview_figure(
    image: NDArray[Any],
    prediction: NDArray[Any],
    voxel_size: Sequence[float],
    title: str,
    brain: NDArray[Any] | None = None,
    n_slices: int = 6,
) -> bytes:
    """Show the axial slices of an RAS image with most predicted area, bottom to top, above with the contour.

    Args:
        image: ``(x, y, z)``.
        prediction: mask of the same shape.
        voxel_size: mm along x, y, z.
        title: line above the pictures.
        brain: mask of the same shape, whose outline is shown.
        n_slices: columns at most.
    """
    columns = sorted(select_slices(prediction, n_slices, _gap(voxel_size)))
    panels = SlicePanels(2, len(columns), image, voxel_size, headroom=0.35)
    for column, index in enumerate(columns):
        for axis in panels.axes[:, column]:
            panels.show(axis, image, index)
        panels.contour(panels.axes[1, column], prediction > 0, index, PREDICTION)
        if brain is not None:
            panels.contour(panels.axes[1, column], brain > 0, index, BRAIN)
    panels.head(title)
    lines = {"predicted lesions": PREDICTION} | ({} if brain is None else {"brain that was looked at": BRAIN})
    panels.legend([Line2D([], [], color=color, label=label) for label, color in lines.items()])
    return panels.png()


def volume_figure(volumes: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> bytes:
    """Show predicted against true volumes (ml), and after Bland and Altman difference against mean.

    Args:
        volumes: true and predicted volumes of the cases, by name of the network.
    """
    figure, (scatter, difference) = chart_panels(2, 5, 4.2)
    for number, (name, (true, predicted)) in enumerate(volumes.items()):
        color = COLORS[number % len(COLORS)]
        x, y = np.asarray(true, float), np.asarray(predicted, float)
        scatter.scatter(x, y, color=color, label=name, s=42, edgecolor="white")
        difference.scatter((x + y) / 2, y - x, color=color, s=42, edgecolor="white")
        bias, spread = float(np.mean(y - x)), 1.96 * float(np.std(y - x, ddof=1)) if len(x) > 1 else 0.0
        difference.axhline(bias, color=color, linewidth=1.5)
        for limit in {bias - spread, bias + spread}:
            difference.axhline(limit, color=color, linewidth=1, linestyle=":")
    top = max(max(*t, *p, 0.1) for t, p in volumes.values()) * 1.08
    scatter.plot([0, top], [0, top], color="#9aa3ae", linewidth=1, zorder=0)
    scatter.set(xlabel="true lesion volume (ml)", ylabel="predicted lesion volume (ml)", xlim=(0, top), ylim=(0, top))
    scatter.legend(frameon=False)
    difference.axhline(0, color="#9aa3ae", linewidth=1, zorder=0)
    difference.set(xlabel="mean of true and predicted (ml)", ylabel="predicted minus true (ml)")
    return to_png(figure)


def _gap(voxel_size: Sequence[float]) -> int:
    return max(round(8 / float(voxel_size[2])), 1)  # 8 mm: another part of the brain, other lesions
