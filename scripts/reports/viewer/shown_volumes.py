"""Volumes as a viewer shows them: on one grid, turned to RAS, each with its colors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from monai.data import MetaTensor
from monai.transforms import Orientation
from numpy.typing import NDArray

from ....datasets.volumes import read_volume
from ....transforms.rigid_motion import moved_by
from ....transforms.volume_grids import resample_to
from ..axial_slices import Window, display_window
from ..image_figures import ERROR_SHARE

PPM_WINDOW = (-0.15, 0.15)
SIGNED_SHARE = 0.3  # of the bright values, below minus which an image is one of signed values
SIGNED_PERCENTILES = (1, 99)


@dataclass(frozen=True)
class Shown:
    """A volume of a page.

    Attributes:
        name: such as ``T1w``.
        values: ``(x, y, z)``, RAS.
        window: values at the ends of the colors.
        unit: of the values.
        colors: ``gray`` or ``difference`` of an image; of what is laid over it ``lesions``, ``truth``, ``other``,
            ``brain`` or ``probability``.
        note: how it came here, in a few words.
        is_shown: from the beginning, of what is laid over images.
    """

    name: str
    values: NDArray[Any]
    window: Window
    unit: str = ""
    colors: str = "gray"
    note: str = ""
    is_shown: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether its values are 0 and 1 only."""
        return self.colors in ("lesions", "truth", "brain", "other")

    def minus(self, other: Shown) -> Shown:
        """Return the difference from ``other``, in colors."""
        limit = ERROR_SHARE * (self.window[1] - self.window[0])
        values = self.values - other.values
        named = f"{self.name} minus {other.name}"
        return replace(self, name=named, values=values, window=(-limit, limit), colors="difference", note="")


class ShownGrid:
    """The grid of a result's file, turned to RAS, onto which the other volumes of a page are brought.

    Args:
        reference: file of the result.

    Attributes:
        affine: 4x4, of the turned grid (RAS, mm).
    """

    def __init__(self, reference: Path) -> None:
        self._grid = cast(MetaTensor, Orientation("RAS", labels=None)(_read(reference)))
        self.affine: NDArray[np.float64] = self._grid.affine.numpy()

    @property
    def voxel_size(self) -> NDArray[np.float64]:
        """Of the turned grid (mm)."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    def load(self, path: Path, motion: NDArray[Any] | None = None, *, is_mask: bool = False) -> NDArray[np.float32]:
        """Read a file, move it by the world matrix ``motion``, and resample it if its grid is another."""
        image = _read(path)
        if motion is not None:
            image = moved_by(image, motion)
        mode = "nearest" if is_mask else "bilinear"
        return resample_to(image, self._grid, mode).as_tensor()[0].numpy()

    def mask(self, path: Path, name: str, colors: str, *, is_shown: bool = True) -> Shown:
        """Load what is laid over images: a mask."""
        values = self.load(path, is_mask=True) > 0
        return Shown(name, values, (0.5, 1), colors=colors, is_shown=is_shown)


def probability_of(values: NDArray[Any]) -> Shown:
    """Show the probability of lesions, where it is not near zero."""
    return Shown("lesion probability", values, (0.1, 1), colors="probability", note="from 0.1 to 1")


def window_of(values: NDArray[Any], contrast: str = "") -> Window:
    """Return the values of black and white: for signed ones alike on both sides of zero."""
    if contrast == "Chimap":
        return PPM_WINDOW
    inside = values[values != 0]
    low, high = np.percentile(inside, SIGNED_PERCENTILES) if inside.size else (0.0, 1.0)
    if low < -SIGNED_SHARE * high:
        limit = float(max(-low, high))
        return -limit, limit
    return display_window(values)


def _read(path: Path) -> MetaTensor:
    return read_volume(path, allow_nan=True, allow_constant=True, allow_2d=True)
