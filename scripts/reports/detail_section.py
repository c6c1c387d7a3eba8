"""What super-resolution added beyond the band of its input: the error at each frequency, and a part pixel for pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from ..running.evaluation import Evaluation
from .axial_slices import display_window, radiological
from .charts import COLORS, chart_panels, to_png
from .html_report import MAX_PICTURES, Picture, Section
from .image_figures import ERROR_COLORS, ERROR_SHARE
from .slice_panels import CONVENTION
from .written_images import WrittenImages, read_written_images

SHELLS = 40  # at most
EMPTY = 0.02  # of the reference's power beyond half of an axis' band, below which the input has none there
PART = 64  # voxels along an axis of what is shown pixel for pixel
INPUT = "input"
TEXT = (
    "Left of the dashed line lies what the input has, right of it what was added. 1 is the error of adding nothing: "
    "what is below was found, what is above was invented. Frequencies are shares of the fine grid's band, by their "
    "largest part along the axes that were magnified."
)


@dataclass(frozen=True)
class Spectrum:
    """Error of images at each frequency.

    Attributes:
        frequencies: of the shells' middles, from 0 to 1, the edge of the fine grid's band.
        errors: of each image, power of its difference from the reference by power of the reference.
        edge: of the input's band.
    """

    frequencies: NDArray[np.float64]
    errors: dict[str, NDArray[np.float64]]
    edge: float


def spectrum_of(images: Mapping[str, NDArray[Any]], reference: NDArray[Any], scale: float) -> Spectrum | None:
    """Compare images ``(x, y, z)`` with the reference at each frequency.

    Axes count along which the input has next to nothing beyond ``1 / scale``; None without an input or such an axis.

    Args:
        images: by title, the input among them.
        reference: of the same shape.
        scale: of the input's voxels.
    """
    if INPUT not in images:
        return None
    truth = np.fft.fftn(reference)
    axes = [axis for axis in range(3) if _is_lowered(images[INPUT], reference, axis, scale)]
    if not axes:
        return None
    parts = [np.abs(np.fft.fftfreq(n)) * 2 for n in reference.shape]
    radius = np.max(np.broadcast_arrays(*np.ix_(*(p if i in axes else p * 0 for i, p in enumerate(parts)))), axis=0)
    n_shells = min(SHELLS, *(reference.shape[axis] // 2 for axis in axes))
    shells = np.minimum((radius * n_shells).astype(int), n_shells - 1).ravel()

    def power(transform: NDArray[Any]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.bincount(shells, (np.abs(transform) ** 2).ravel(), n_shells).astype(np.float64)
        return sums

    whole = np.maximum(power(truth), np.finfo(float).tiny)
    errors = {title: power(np.fft.fftn(image) - truth) / whole for title, image in images.items()}
    return Spectrum((np.arange(n_shells) + 0.5) / n_shells, errors, 1 / scale)


def _is_lowered(image: NDArray[Any], reference: NDArray[Any], axis: int, scale: float) -> bool:
    """Tell whether the outer half of what ``scale`` takes away is empty along an axis."""
    beyond = np.abs(np.fft.fftfreq(image.shape[axis])) * 2 > (1 + 1 / scale) / 2
    places = np.flatnonzero(beyond)
    outer = [float((np.abs(np.fft.fft(x, axis=axis).take(places, axis)) ** 2).sum()) for x in (image, reference)]
    return outer[0] < EMPTY * outer[1]


def spectrum_figure(spectra: Mapping[str, Spectrum]) -> bytes:
    """Draw the errors of each case, a line for each image."""
    figure, panels = chart_panels(len(spectra), 4.4, 3.2)
    for panel, (case, spectrum) in zip(panels, spectra.items(), strict=True):
        for color, (title, errors) in zip(COLORS[5:6] + COLORS[:5], spectrum.errors.items(), strict=False):
            panel.plot(spectrum.frequencies, np.maximum(errors, 1e-4), color=color, label=title)
        panel.axvline(spectrum.edge, color="black", linewidth=1, linestyle="--")
        panel.axhline(1, color="black", linewidth=0.5)
        panel.set(yscale="log", xlim=(0, 1), xlabel="frequency", ylabel="error / reference", title=case)
    panels[0].legend(frameon=False)
    return to_png(figure)


def part_figure(found: WrittenImages) -> bytes:
    """Show the part of an axial slice where most was missing, pixel for pixel, with differences from the reference."""
    box, index = _place(found)
    window = display_window(found.reference)
    limit = ERROR_SHARE * (window[1] - window[0])
    columns = [*found.images.items(), ("reference", found.reference)]
    figure = Figure(figsize=(2.6 * len(columns), 5.6), facecolor="black", layout="constrained")
    axes = figure.subplots(2, len(columns), squeeze=False)
    aspect = float(found.voxel_size[1]) / float(found.voxel_size[0])
    for (top, bottom), (title, volume) in zip(axes.T, columns, strict=True):
        shown = {"interpolation": "nearest", "aspect": aspect}
        top.imshow(radiological(volume, index, box), cmap="gray", vmin=window[0], vmax=window[1], **shown)
        top.set_title(title, color="white", fontsize=9)
        if title != "reference":
            error = radiological(volume - found.reference, index, box)
            bottom.imshow(error, cmap=ERROR_COLORS, vmin=-limit, vmax=limit, **shown)
        for axis in (top, bottom):
            axis.set_axis_off()
    return to_png(figure)


def _place(found: WrittenImages) -> tuple[tuple[slice, slice], int]:
    """Find the square of an axial slice with the largest error of the input."""
    missing = (next(iter(found.images.values())) - found.reference) ** 2
    size = [min(PART, n) for n in missing.shape[:2]]
    local = ndimage.uniform_filter(missing, (*size, 1), mode="constant")
    x, y, z = np.unravel_index(int(local.argmax()), local.shape)
    starts = [int(np.clip(c - s // 2, 0, n - s)) for c, s, n in zip((x, y), size, missing.shape[:2], strict=True)]
    return (slice(starts[0], starts[0] + size[0]), slice(starts[1], starts[1] + size[1])), int(z)


def detail_sections(evaluations: Sequence[Evaluation]) -> list[Section]:
    """Return the section of what was added beyond the input's band, of super-resolution; else none."""
    pictures = evaluations[0].pictures
    if pictures is None or pictures.scale is None:
        return []
    spectra, parts = {}, []
    for number in range(min(len(evaluations[0].cases), MAX_PICTURES)):
        name = evaluations[0].case_names[number]
        found = read_written_images({each.network: each.files[number] for each in evaluations}, pictures)
        if found is None:
            continue
        caption = f"{name}: where the input lacks most, pixel for pixel; below, differences from the reference."
        parts.append(Picture(part_figure(found), caption, f"Part of {name}"))
        if (spectrum := spectrum_of(found.images, found.reference, pictures.scale)) is not None:
            spectra[name] = spectrum
    shown = [Picture(spectrum_figure(spectra), TEXT, "Error at each frequency")] if spectra else []
    return [Section("Detail beyond the input", [CONVENTION], pictures=[*shown, *parts])] if parts else []
