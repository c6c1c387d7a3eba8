"""Figures of segmentations and their errors, as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .axial_slices import display_window, foreground_box, radiological, select_slices

TRUTH, PREDICTION = "#ffd24d", "#3fd0ff"
ERRORS = {
    "found (true positive)": "#35c759",
    "missed (false negative)": "#3d7dff",
    "wrong (false positive)": "#ff453a",
}
LINES = ("#1f5fa8", "#d1622b", "#3a8f5c", "#8a5aa8")
CONVENTION = "Radiological convention: the patient's right is on the left of the picture."
SHORT_CONVENTION = "Patient's right on the left"  # fits below one image


def to_png(figure: Figure, dpi: int = 120) -> bytes:
    """Return ``figure`` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor())
    return buffer.getvalue()


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
    ground_name = list(images)[-1]
    figure, axes = black_panels(len(rows), len(images) + 3, images[ground_name], voxel_size)
    box = foreground_box(images[ground_name])
    for row, index in zip(axes, rows, strict=True):
        for axis, volume in zip(row, [*images.values(), *[images[ground_name]] * 3], strict=True):
            _show(axis, volume, index, box, voxel_size)
        _contour(row[-3], truth, index, box, TRUTH)
        _contour(row[-2], prediction, index, box, PREDICTION)
        masks = (truth & prediction, truth & ~prediction, prediction & ~truth)
        for mask, color in zip(masks, ERRORS.values(), strict=True):
            _fill(row[-1], mask, index, box, color)
    for axis, title in zip(axes[0], [*images, "truth", "prediction", "errors"], strict=True):
        axis.set_title(title, color="white", fontsize=11)
    handles = [Patch(color=color, label=label) for label, color in ERRORS.items()]
    figure.legend(handles=handles, loc="lower right", ncols=3, frameon=False, labelcolor="white", fontsize=9)
    return to_png(figure)


def contour_panels(
    image: NDArray[Any],
    truth: NDArray[Any],
    panels: Mapping[str, tuple[NDArray[Any], str]],
    voxel_size: Sequence[float],
    n_slices: int = 3,
) -> bytes:
    """Show masks side by side as contours on one image, in rows of axial slices with most of ``truth``.

    Args:
        image: RAS volume ``(x, y, z)``.
        truth: mask that chooses the slices.
        panels: mask and color of each column by its title.
        voxel_size: mm along x, y, z.
        n_slices: rows at most.
    """
    rows = select_slices(truth, n_slices, _gap(voxel_size))
    figure, axes = black_panels(len(rows), len(panels), image, voxel_size)
    box = foreground_box(image)
    for row, index in zip(axes, rows, strict=True):
        for axis, (mask, color) in zip(row, panels.values(), strict=True):
            _show(axis, image, index, box, voxel_size)
            _contour(axis, mask, index, box, color)
    for axis, title in zip(axes[0], panels, strict=True):
        axis.set_title(title, color="white", fontsize=11)
    return to_png(figure)


def overview_figure(
    image: NDArray[Any], prediction: NDArray[Any], voxel_size: Sequence[float], title: str, n_slices: int = 6
) -> bytes:
    """Show the axial slices of an RAS image with most predicted area, bottom to top, above with the contour.

    Args:
        image: ``(x, y, z)``.
        prediction: mask of the same shape.
        voxel_size: mm along x, y, z.
        title: line above the pictures.
        n_slices: columns at most.
    """
    columns = sorted(select_slices(prediction, n_slices, _gap(voxel_size)))
    figure, axes = black_panels(2, len(columns), image, voxel_size, headroom=0.35)
    box = foreground_box(image)
    for column, index in enumerate(columns):
        for axis in axes[:, column]:
            _show(axis, image, index, box, voxel_size)
        _contour(axes[1, column], prediction > 0, index, box, PREDICTION)
    figure.suptitle(title, color="white", fontsize=12, y=0.99)
    tell_sides(figure)
    handles = [Line2D([], [], color=PREDICTION, label="predicted lesions")]
    figure.legend(handles=handles, loc="lower right", frameon=False, labelcolor="white", fontsize=9)
    return to_png(figure)


def volume_figure(volumes: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> bytes:
    """Show predicted against true volumes (ml), and after Bland and Altman difference against mean.

    Args:
        volumes: true and predicted volumes of the cases, by name of the network.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    scatter, difference = figure.subplots(1, 2)
    for color, (name, (true, predicted)) in zip(LINES * len(volumes), volumes.items(), strict=False):
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
    for axis in (scatter, difference):
        axis.spines[["top", "right"]].set_visible(False)
    return to_png(figure)


def curve_figure(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> bytes:
    """Show steps and values of each named curve in a panel of its own, three in a row."""
    n_columns = min(len(curves), 3)
    n_rows = -(-len(curves) // n_columns)
    figure = Figure(figsize=(3.7 * n_columns, 2.6 * n_rows), layout="constrained")
    for index, (name, (steps, values)) in enumerate(curves.items()):
        axis = figure.add_subplot(n_rows, n_columns, index + 1)
        axis.plot(steps, values, color=LINES[0], linewidth=1.4)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("iteration or epoch", fontsize=9)
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axis.spines[["top", "right"]].set_visible(False)
    return to_png(figure)


def tell_sides(figure: Figure) -> None:
    """Write the convention below the panels, in as many words as their width allows."""
    text = CONVENTION if figure.get_figwidth() > 4.6 else SHORT_CONVENTION
    figure.text(0.01, 0.012, text, color="#c8ccd2", fontsize=8)


def _gap(voxel_size: Sequence[float]) -> int:
    return max(round(8 / float(voxel_size[2])), 1)  # 8 mm: another part of the brain, other lesions


def black_panels(
    n_rows: int, n_columns: int, image: NDArray[Any], voxel_size: Sequence[float], headroom: float = 0.3
) -> tuple[Figure, NDArray[Any]]:
    """Return a black figure of panels in the picture's shape; ``headroom`` for the heading is in inches."""
    box = foreground_box(image)
    x, y = (size * float(v) for size, v in zip(image[box].shape[:2], voxel_size[:2], strict=True))
    width = 1.9
    height = width * y / x
    foot, total = 0.3, n_rows * height + headroom + 0.3
    figure = Figure(figsize=(n_columns * width, total), facecolor="black")
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    sides = {"color": "#c8ccd2", "fontsize": 8, "ha": "center", "transform": axes[0, 0].transAxes}
    axes[0, 0].text(0.03, 0.5, "R", **sides)
    axes[0, 0].text(0.97, 0.5, "L", **sides)
    figure.subplots_adjust(0, foot / total, 1, 1 - headroom / total, wspace=0.01, hspace=0.01)
    return figure, axes


def _show(axis: Axes, volume: NDArray[Any], index: int, box: tuple[slice, slice], voxel_size: Sequence[float]) -> None:
    low, high = display_window(volume)
    aspect = float(voxel_size[1]) / float(voxel_size[0])
    axis.imshow(radiological(volume, index, box), cmap="gray", vmin=low, vmax=high, aspect=aspect)
    axis.set_axis_off()


def _contour(axis: Axes, mask: NDArray[Any], index: int, box: tuple[slice, slice], color: str) -> None:
    picture = radiological(mask, index, box)
    if picture.any():
        axis.contour(picture.astype(float), levels=[0.5], colors=[color], linewidths=1.1)


def _fill(axis: Axes, mask: NDArray[Any], index: int, box: tuple[slice, slice], color: str) -> None:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    picture = radiological(mask, index, box)
    overlay = np.zeros((*picture.shape, 4))
    overlay[picture] = (red, green, blue, 0.75)
    axis.imshow(overlay, aspect=axis.get_aspect(), interpolation="nearest")
