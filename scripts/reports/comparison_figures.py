"""Figures of a comparison: box plots, training curves, and one case as every network sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...datasets import Case
from ..running.comparison_plan import Plan, Training, short_name
from ..running.configuration import Configuration, Pictures
from ..running.evaluation import CONFIGS
from ..running.tracking import Curves
from ..running.written_files import file_of
from .axial_slices import load_aligned
from .image_figures import error_figure
from .lesion_figures import PREDICTION, TRUTH, contour_panels, to_png

COLORS = ("#1f5fa8", "#d1622b", "#3a8f5c", "#8a5aa8", "#b8860b", "#5b6675", "#c2477f", "#2b9aa8")


def box_figure(values: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> bytes:
    """Show a panel for each metric, in it a box and the cases of each network."""
    figure = Figure(figsize=(4.2 * len(values), 4), layout="constrained")
    for index, (metric, networks) in enumerate(values.items()):
        axis = figure.add_subplot(1, len(values), index + 1)
        defined = [cases[~np.isnan(cases)] for cases in networks.values()]
        axis.boxplot(defined, tick_labels=list(networks), showfliers=False, medianprops={"color": "#1b2330"})
        for place, cases in enumerate(defined):
            spread = np.linspace(-0.12, 0.12, len(cases)) if len(cases) > 1 else np.zeros(len(cases))
            axis.scatter(place + 1 + spread, cases, s=22, color=COLORS[place % len(COLORS)], zorder=3)
        axis.set_title(metric)
        axis.tick_params(axis="x", rotation=40)
        axis.spines[["top", "right"]].set_visible(False)
    return to_png(figure)


def training_figure(curves: Mapping[str, Curves]) -> bytes:
    """Show a panel for each recorded quantity, in it a line for each training (name and seed)."""
    names = list(dict.fromkeys(name for run in curves.values() for name in run))
    figure = Figure(figsize=(4.4 * max(len(names), 1), 3.6), layout="constrained")
    networks = list(dict.fromkeys(run.rpartition("-")[0] for run in curves))
    for index, name in enumerate(names):
        axis = figure.add_subplot(1, len(names), index + 1)
        for run, recorded in curves.items():
            if name in recorded:
                network, _, seed = run.rpartition("-")
                label = network if seed == "0" else None
                color = COLORS[networks.index(network) % len(COLORS)]
                axis.plot(*recorded[name], color=color, linewidth=1, alpha=0.8, label=label)
        axis.set_title(name)
        axis.spines[["top", "right"]].set_visible(False)
        if index == 0:
            axis.legend(frameon=False, fontsize=8)
    return to_png(figure)


def side_by_side_figure(plan: Plan, trainings: Sequence[Training]) -> bytes | None:
    """Show the first test case: truth and every network's mask or image, with errors; None where there is neither."""
    case = plan.test_cases[0]
    written = {
        short_name(training.network): written_for(case, plan.output_dir / training.name / "test")
        for training in trainings
    }
    pictures = Configuration(plan.bundle, [*CONFIGS, *plan.overlays], plan.inference).pictures
    if pictures is not None:
        return _images(written, pictures)
    return _masks(case, written)


def written_for(case: Mapping[str, Any], folder: Path) -> list[Path]:
    """Find the images that an evaluation wrote for a case; of all sessions where it wrote none with the case's."""
    named = Case.of(case)
    return sorted(folder.rglob(f"{named.name}_*.nii.gz")) or sorted(folder.rglob(f"{named.subject}_*.nii.gz"))


def _masks(case: dict[str, Any], written: Mapping[str, Sequence[Path]]) -> bytes | None:
    masks = {name: mask for name, files in written.items() if (mask := file_of(files, "label-lesion_mask"))}
    if not masks:
        return None
    reference = Path(list(case["image"].values() if isinstance(case["image"], dict) else case["image"])[-1])
    image = load_aligned([reference], reference)[0]
    truth, *found = (
        np.asarray(mask.dataobj) > 0
        for mask in load_aligned([Path(case["label"]), *masks.values()], reference, is_label=True)
    )
    panels = {"truth": (truth, TRUTH)} | {n: (mask, PREDICTION) for n, mask in zip(masks, found, strict=True)}
    return contour_panels(np.asarray(image.dataobj), truth, panels, image.header.get_zooms()[:3])


def _images(written: Mapping[str, Sequence[Path]], pictures: Pictures) -> bytes | None:
    first = next(iter(written.values()))
    reference = file_of(first, pictures.reference)
    if reference is None:
        return None
    paths = {"input": file_of(first, pictures.input)}
    paths |= {name: file_of(files, pictures.result) for name, files in written.items()}
    present = {name: path for name, path in paths.items() if path is not None}
    truth, *loaded = load_aligned([reference, *present.values()], reference)
    images = {name: np.asarray(image.dataobj) for name, image in zip(present, loaded, strict=True)}
    return error_figure(
        images,
        np.asarray(truth.dataobj),
        truth.header.get_zooms()[:3],
        window=pictures.window,
        error_window=pictures.error_window,
        unit=pictures.unit,
    )
