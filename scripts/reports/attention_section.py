"""The report's section on what folded attention attends to."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..running.attention_maps import AttentionMaps
from .charts import to_png
from .html_report import Picture, Section
from .slice_panels import CONVENTION, SlicePanels

AXES = {"h": "left-right", "w": "back-front", "d": "bottom-top", "c": "channels"}


def attention_section(maps: AttentionMaps, case: str) -> Section:
    """Show the four affinity matrices, and the map of one query over the brain."""
    at = ", ".join(map(str, maps.voxel))
    gamma = "no residual" if maps.gamma is None else f"gamma = {maps.gamma:.3g}"
    text = (
        f"{case}, the whole volume in one pass. Rows of a matrix are queries; each sums to one. The map is the product "
        f"of one row of each spatial matrix (Eq. 8), for the query with the highest probability of lesion, at voxel "
        f"{at} (cross). The block returns its input plus gamma times what it attended to: {gamma}."
    )
    pictures = [
        Picture(affinity_figure(maps), alternative="Affinity matrices"),
        Picture(map_figure(maps), CONVENTION, "Attention over the brain"),
    ]
    return Section("Folded attention", [text], pictures=pictures)


def affinity_figure(maps: AttentionMaps) -> bytes:
    """Show the affinity matrices, each in its own range of gray."""
    figure = Figure(figsize=(3.3 * len(maps.affinities), 3.3), layout="constrained")
    for index, (name, affinity) in enumerate(maps.affinities.items()):
        axis = figure.add_subplot(1, len(maps.affinities), index + 1)
        picture = axis.imshow(affinity, cmap="magma", vmin=0)
        axis.set_title(f"A_{name}: {AXES[name]} ({len(affinity)})", fontsize=10)
        axis.set(xticks=[], yticks=[], xlabel="attended", ylabel="query")
        figure.colorbar(picture, ax=axis, shrink=0.8)
    return to_png(figure)


def map_figure(maps: AttentionMaps) -> bytes:
    """Show the map over the axial slice of the query and four others that are attended most."""
    totals = maps.map.sum((0, 1))
    others = [int(z) for z in np.argsort(-totals, kind="stable") if abs(int(z) - maps.voxel[2]) > 4]
    indices = [maps.voxel[2], *others[:: max(len(others) // 4, 1)][:4]]
    panels = SlicePanels(1, len(indices), maps.image, maps.voxel_size)
    for axis, index in zip(panels.axes[0], indices, strict=True):
        panels.show(axis, maps.image, index)
        panels.show(axis, maps.map, index, (0, float(maps.map.max())), cmap="inferno", alpha=0.5)
    panels.mark(panels.axes[0, 0], maps.voxel, "#3fd0ff")
    panels.name_columns(["slice of the query", *(f"slice {index}" for index in indices[1:])])
    return panels.png()
