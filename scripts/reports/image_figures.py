"""Figures of reconstructed images and their errors, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from .axial_slices import Window, display_window, select_slices
from .slice_panels import BRAIN, SlicePanels

ERROR_COLORS = "RdBu_r"
ERROR_SHARE = 0.2  # of the gray window, for the ends of the color scale


def image_overview_figure(
    image: NDArray[Any],
    voxel_size: Sequence[float],
    title: str,
    window: Window | None = None,
    brain: NDArray[Any] | None = None,
    n_slices: int = 6,
) -> bytes:
    """Show axial slices of an RAS image ``(x, y, z)`` over the head, bottom to top, with the outline of ``brain``."""
    columns = sorted(slices_of_head(image, voxel_size, n_slices))
    panels = SlicePanels(1, len(columns), image, voxel_size, headroom=0.35)
    for axis, index in zip(panels.axes[0], columns, strict=True):
        panels.show(axis, image, index, window)
        if brain is not None:
            panels.contour(axis, brain > 0, index, BRAIN)
    panels.head(title)
    return panels.png()


def error_figure(
    images: Mapping[str, NDArray[Any]],
    reference: NDArray[Any],
    voxel_size: Sequence[float],
    *,
    window: Window | None = None,
    error_window: float | None = None,
    unit: str = "",
    sampled: NDArray[Any] | None = None,
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
        sampled: mask of k-space ``(y, x)``, shown below the first reference.
        n_slices: how many.
    """
    window = window or display_window(reference)
    limit = error_window or ERROR_SHARE * (window[1] - window[0])
    rows = slices_of_head(reference, voxel_size, n_slices)
    panels = SlicePanels(2 * len(rows), len(images) + 1, reference, voxel_size)
    for number, index in enumerate(rows):
        top, bottom = panels.axes[2 * number], panels.axes[2 * number + 1]
        for column, volume in enumerate(images.values()):
            panels.show(top[column], volume, index, window)
            panels.show(bottom[column], volume - reference, index, (-limit, limit), cmap=ERROR_COLORS)
        panels.show(top[-1], reference, index, window)
    panels.name_columns([*images, "reference"])
    if sampled is not None:
        place = panels.axes[1, -1].inset_axes((0.1, 0.35, 0.8, 0.5))
        place.imshow(sampled, cmap="gray", vmin=0, vmax=1)
        place.set_title("sampled k-space", color="white", fontsize=9)
        place.set_axis_off()
    _color_scale(panels.axes[-1, -1], limit, f"difference ({unit})" if unit else "difference")
    return panels.png()


def slices_of_head(image: NDArray[Any], voxel_size: Sequence[float], n_slices: int) -> list[int]:
    """Choose axial slices with much of the head in them, some way apart."""
    head = abs(image) > 0.1 * np.percentile(abs(image), 99)
    areas = np.count_nonzero(head, axis=(0, 1))
    shows_head = areas >= 0.1 * areas.max()
    height = int(np.ptp(np.flatnonzero(shows_head))) + 1
    gap = max(round(height / (n_slices + 2)), round(8 / float(voxel_size[2])), 1)
    return [index for index in select_slices(head, n_slices, gap) if shows_head[index]]


def _color_scale(axis: Axes, limit: float, label: str) -> None:
    place = axis.inset_axes((0.1, 0.25, 0.8, 0.06))
    scale = ScalarMappable(Normalize(-limit, limit), ERROR_COLORS)
    bar = axis.figure.colorbar(scale, cax=place, orientation="horizontal")
    bar.set_label(label, color="white", fontsize=9)
    bar.set_ticks([-limit, 0, limit], labels=[f"{v:.3g}" for v in (-limit, 0, limit)])
    place.tick_params(colors="white", labelsize=8)
