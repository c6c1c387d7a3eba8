"""Table and bars of the benchmark ``runtimes``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .attention_costs import ratio
from .runtimes import RuntimeBenchmark, RuntimeCost

HEADER = ["network", "runtime", "input", "free sizes", "largest difference", "time (ms)", "of eager's", "peak (MiB)"]


def runtime_rows(costs: Sequence[RuntimeCost]) -> list[list[str]]:
    """Rows of :data:`HEADER`; ratios are medians of those within a round, with quartiles."""
    eager = {cost.bundle: cost.seconds for cost in costs if cost.runtime == "eager"}
    return [_row(cost, eager[cost.bundle]) for cost in costs]


def runtime_bars(benchmark: RuntimeBenchmark) -> bytes:
    """Plot times relative to eager mode, as PNG."""
    from matplotlib.figure import Figure

    from ..reports.lesion_figures import to_png

    eager = {cost.bundle: cost.seconds for cost in benchmark.costs if cost.runtime == "eager"}
    others = [cost for cost in benchmark.costs if cost.seconds and cost.runtime != "eager"]
    figure = Figure(figsize=(8, 1 + 0.3 * len(others)), layout="constrained")
    axis = figure.add_subplot()
    shares = [statistics.median(a / b for a, b in zip(c.seconds, eager[c.bundle], strict=True)) for c in others]
    axis.barh([f"{cost.bundle}, {cost.runtime}" for cost in others], shares)
    axis.axvline(1, color="black")
    axis.set_xlabel("time, of eager mode's")
    return to_png(figure)


def _row(cost: RuntimeCost, eager: Sequence[float]) -> list[str]:
    shape = " x ".join(map(str, cost.shape))
    if cost.difference is None:
        return [cost.bundle, cost.runtime, shape, cost.free, f"does not run: {cost.reason}", "", "", ""]
    time = f"{1000 * statistics.median(cost.seconds):.3g}"
    peak = "" if cost.peak is None else f"{cost.peak / 2**20:,.0f}"
    return [
        cost.bundle, cost.runtime, shape, cost.free, f"{cost.difference:.1e}", time, ratio(cost.seconds, eager), peak
    ]  # fmt: skip
