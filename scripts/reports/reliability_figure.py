"""The reliability diagram: of voxels of like probability, how many are lesion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...metrics.calibration import Reliability, reliability, tempered
from ..running.calibration import Nested
from .charts import COLORS, to_png

Temperature = Callable[[Nested], float]


def reliability_figure(nested: Sequence[Nested]) -> bytes:
    """Show each patient as a thin line and their mean, before and after the temperature chosen on the others."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", squeeze=False, gridspec_kw={"height_ratios": [3, 1]})
    kinds: dict[str, Temperature] = {
        "as written": lambda each: 1.0,
        "at the others' temperature": lambda each: each.chosen.temperature,
    }
    for (top, below), (title, temperature) in zip(axes.T, kinds.items(), strict=True):
        curves = {each.patient: curve_of(each, temperature(each)) for each in nested}
        _draw(top, below, curves)
        top.set_title(title)
    axes[0, 0].set_ylabel("share that is lesion")
    axes[1, 0].set_ylabel("voxels")
    axes[0, 0].legend(frameon=False, fontsize=8)
    return to_png(figure)


def curve_of(nested: Nested, temperature: float) -> Reliability:
    """Return the reliability of all maps of a patient together."""
    pairs = [outcome.map.doubtful for outcome in nested.outcomes]
    probability, truth = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return reliability(tempered(probability, temperature), truth)


def _draw(top: Axes, below: Axes, curves: dict[str, Reliability]) -> None:
    top.plot([0, 1], [0, 1], color="#9aa3ae", linewidth=1, linestyle=":")
    for number, (patient, curve) in enumerate(curves.items()):
        color, filled = COLORS[(number + 1) % len(COLORS)], curve.counts > 0
        top.plot(curve.predicted[filled], curve.observed[filled], color=color, linewidth=0.9, label=patient)
        below.step(_middles(curve)[filled], curve.counts[filled], where="mid", color=color, linewidth=0.9)
    means = [
        np.ma.masked_invalid([getattr(curve, name) for curve in curves.values()]).mean(0)
        for name in ("predicted", "observed")
    ]
    top.plot(*means, color=COLORS[0], linewidth=2.4, label="mean")
    below.set(yscale="log", xlabel="probability of lesion", xlim=(0, 1))
    top.set(ylim=(0, 1))
    for axis in (top, below):
        axis.spines[["top", "right"]].set_visible(False)


def _middles(curve: Reliability) -> NDArray[np.float64]:
    return (np.arange(len(curve.counts)) + 0.5) / len(curve.counts)
