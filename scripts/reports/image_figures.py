"""Figures of reconstructed images and their errors, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .axial_slices import display_window, foreground_box, radiological, select_slices
from .lesion_figures import black_panels, tell_sides, to_png

ERROR_COLORS = "RdBu_r"
GAIN_COLORS = "PRGn"
ERROR_SHARE = 0.2  # of the gray window, for the ends of the color scale

Window = tuple[float, float]


def image_overview_figure(
    image: NDArray[Any], voxel_size: Sequence[float], title: str, window: Window | None = None, n_slices: int = 6
) -> bytes:
    """Show axial slices of an RAS image ``(x, y, z)`` over the head, bottom to top."""
    columns = sorted(_slices(image, voxel_size, n_slices))
    figure, axes = black_panels(1, len(columns), abs(image), voxel_size, headroom=0.35)
    low, high = window or display_window(image)
    for axis, index in zip(axes[0], columns, strict=True):
        _show(axis, image, index, foreground_box(abs(image)), voxel_size, cmap="gray", vmin=low, vmax=high)
    figure.suptitle(title, color="white", fontsize=12, y=0.99)
    tell_sides(figure)
    return to_png(figure)


def error_figure(
    images: Mapping[str, NDArray[Any]],
    reference: NDArray[Any],
    voxel_size: Sequence[float],
    *,
    window: Window | None = None,
    error_window: float | None = None,
    unit: str = "",
    n_slices: int = 2,
) -> bytes:
    """Show images beside the reference, and below each its difference from it, for some axial slices.

    Args:
        images: RAS volumes ``(x, y, z)`` by title, on the reference's grid.
        reference: the truth, of the same shape.
        voxel_size: mm along x, y, z.
        window: gray values of black and white; those of the reference if None.
        error_window: difference at the ends of the color scale; a fifth of the window if None.
        unit: of the values, written at the color scale.
        n_slices: how many.
    """
    low, high = window or display_window(reference)
    limit = error_window or ERROR_SHARE * (high - low)
    rows = _slices(reference, voxel_size, n_slices)
    box = foreground_box(abs(reference))
    figure, axes = black_panels(2 * len(rows), len(images) + 1, abs(reference), voxel_size)
    for number, index in enumerate(rows):
        top, bottom = axes[2 * number], axes[2 * number + 1]
        for column, volume in enumerate([*images.values(), reference]):
            _show(top[column], volume, index, box, voxel_size, cmap="gray", vmin=low, vmax=high)
            if column < len(images):
                error = volume - reference
                _show(bottom[column], error, index, box, voxel_size, cmap=ERROR_COLORS, vmin=-limit, vmax=limit)
            else:
                bottom[column].set_axis_off()
    for axis, title in zip(axes[0], [*images, "reference"], strict=True):
        axis.set_title(title, color="white", fontsize=11)
    _color_scale(figure, axes[-1, -1], limit, f"difference ({unit})" if unit else "difference")
    return to_png(figure)


def change_figure(
    title: str,
    guide: NDArray[Any],
    maps: Mapping[str, NDArray[Any]],
    reference: NDArray[Any],
    voxel_size: Sequence[float],
    n_slices: int = 2,
) -> bytes:
    """Show a guiding image and signed maps of what it changed, for some axial slices.

    Args:
        title: of the guide.
        guide: RAS volume ``(x, y, z)``.
        maps: of the change, and of how much of it was for the better, by title; all of the guide's shape.
        reference: the truth, whose gray window's fifth is at the ends of the color scale.
        voxel_size: mm along x, y, z.
        n_slices: how many.
    """
    low, high = display_window(reference)
    limit = ERROR_SHARE * (high - low)
    rows, box = _slices(reference, voxel_size, n_slices), foreground_box(abs(reference))
    figure, axes = black_panels(len(rows), len(maps) + 1, abs(reference), voxel_size)
    black, white = display_window(guide)
    for row, index in zip(axes, rows, strict=True):
        _show(row[0], guide, index, box, voxel_size, cmap="gray", vmin=black, vmax=white)
        for axis, values, colors in zip(row[1:], maps.values(), (ERROR_COLORS, GAIN_COLORS), strict=True):
            _show(axis, values, index, box, voxel_size, cmap=colors, vmin=-limit, vmax=limit)
    for axis, name in zip(axes[0], [title, *maps], strict=True):
        axis.set_title(name, color="white", fontsize=11)
    figure.text(0.01, 0.012, f"Colors from {-limit:.3g} to {limit:.3g}", color="#c8ccd2", fontsize=8)
    return to_png(figure)


def _slices(image: NDArray[Any], voxel_size: Sequence[float], n_slices: int) -> list[int]:
    """Choose slices with much of the head in them, some way apart."""
    head = abs(image) > 0.1 * np.percentile(abs(image), 99)
    areas = np.count_nonzero(head, axis=(0, 1))
    shows_head = areas >= 0.1 * areas.max()
    height = int(np.ptp(np.flatnonzero(shows_head))) + 1
    gap = max(round(height / (n_slices + 2)), round(8 / float(voxel_size[2])), 1)
    return [index for index in select_slices(head, n_slices, gap) if shows_head[index]]


def _show(
    axis: Any, volume: NDArray[Any], index: int, box: tuple[slice, slice], voxel_size: Sequence[float], **colors: Any
) -> None:
    axis.imshow(radiological(volume, index, box), aspect=float(voxel_size[1]) / float(voxel_size[0]), **colors)
    axis.set_axis_off()


def _color_scale(figure: Figure, axis: Any, limit: float, label: str) -> None:
    place = axis.inset_axes((0.1, 0.45, 0.8, 0.06))
    bar = figure.colorbar(ScalarMappable(Normalize(-limit, limit), ERROR_COLORS), cax=place, orientation="horizontal")
    bar.set_label(label, color="white", fontsize=9)
    bar.set_ticks([-limit, 0, limit], labels=[f"{v:.3g}" for v in (-limit, 0, limit)])
    place.tick_params(colors="white", labelsize=8)
