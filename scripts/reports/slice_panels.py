"""Black figures with panels of axial slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .axial_slices import Window, display_window, foreground_box, radiological
from .charts import to_png

CONVENTION = "Radiological convention: the patient's right is on the left of the picture."
SHORT_CONVENTION = "Patient's right on the left"  # fits below one image
BRAIN = "#7ddf64"  # outline of its mask
WIDTH = 1.9  # of a panel, inches
TALLEST = 4.0  # height of a panel, as a multiple of its width; few sagittal slices have no width to speak of


class SlicePanels:
    """Rows and columns of axial slices of RAS volumes ``(x, y, z)``, all cut to the same head.

    Args:
        n_rows: of panels.
        n_columns: of panels.
        ground: the volume to whose foreground panels are cut.
        voxel_size: mm along x, y, z.
        headroom: inches above the panels.

    Attributes:
        figure: the whole.
        axes: the panels ``(n_rows, n_columns)``.
    """

    def __init__(
        self,
        n_rows: int,
        n_columns: int,
        ground: NDArray[Any],
        voxel_size: Sequence[float],
        headroom: float = 0.3,
    ) -> None:
        self._box = foreground_box(abs(ground))
        self._aspect = float(voxel_size[1]) / float(voxel_size[0])
        x, y = ground[self._box].shape[:2]
        foot, height = 0.3, n_rows * WIDTH * min(y / x * self._aspect, TALLEST)
        total = foot + height + headroom
        self.figure = Figure(figsize=(n_columns * WIDTH, total), facecolor="black")
        self.axes: NDArray[Any] = self.figure.subplots(n_rows, n_columns, squeeze=False)
        for place, side in ((0.03, "R"), (0.97, "L")):
            first = self.axes[0, 0]
            first.text(place, 0.5, side, color="#c8ccd2", fontsize=8, ha="center", transform=first.transAxes)
        self.figure.subplots_adjust(0, foot / total, 1, 1 - headroom / total, wspace=0.01, hspace=0.01)
        for axis in self.axes.flat:
            axis.set_axis_off()

    def show(self, axis: Axes, volume: NDArray[Any], index: int, window: Window | None = None, **colors: Any) -> None:
        """Show a slice, in gray unless told other colors, in the volume's own window unless told another."""
        low, high = window or display_window(volume)
        picture = radiological(volume, index, self._box)
        axis.imshow(picture, aspect=self._aspect, vmin=low, vmax=high, **{"cmap": "gray", **colors})

    def contour(self, axis: Axes, mask: NDArray[Any], index: int, color: str) -> None:
        """Draw the outline of a mask."""
        picture = radiological(mask, index, self._box)
        if picture.any():
            axis.contour(picture.astype(float), levels=[0.5], colors=[color], linewidths=1.1)

    def fill(self, axis: Axes, mask: NDArray[Any], index: int, color: str) -> None:
        """Lay a color over where a mask is true."""
        picture = np.ma.masked_equal(radiological(mask, index, self._box), 0)
        axis.imshow(picture, aspect=self._aspect, cmap=ListedColormap([color]), alpha=0.75, interpolation="nearest")

    def mark(self, axis: Axes, voxel: Sequence[int], color: str) -> None:
        """Draw a cross at a voxel."""
        column, row = (extent.stop - 1 - i for extent, i in zip(self._box, voxel, strict=False))
        axis.plot(column, row, "+", color=color, markersize=12, markeredgewidth=2)

    def name_columns(self, names: Sequence[str]) -> None:
        """Write a heading over each column."""
        for axis, name in zip(self.axes[0], names, strict=True):
            axis.set_title(name, color="white", fontsize=11)

    def head(self, title: str) -> None:
        """Write a title over all, and the convention of sides below."""
        self.figure.suptitle(title, color="white", fontsize=12, y=0.99)
        write_sides(self.figure)

    def legend(self, handles: Sequence[Artist]) -> None:
        """Write a legend in a row below the panels, on the right."""
        style = {"frameon": False, "labelcolor": "white", "fontsize": 9}
        self.figure.legend(handles=handles, loc="lower right", ncols=len(handles), **style)

    def png(self) -> bytes:
        """Return the figure as the bytes of a PNG file."""
        return to_png(self.figure)


def write_note(figure: Figure, text: str) -> None:
    """Write a small note below the panels."""
    figure.text(0.01, 0.012, text, color="#c8ccd2", fontsize=8)


def write_sides(figure: Figure) -> None:
    """Write the convention below the panels, in as many words as their width allows."""
    write_note(figure, CONVENTION if figure.get_figwidth() > 4.6 else SHORT_CONVENTION)
