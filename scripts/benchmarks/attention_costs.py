"""Table and curves of what attention blocks cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from io import BytesIO

from .attention import AttentionBenchmark, Cost

REFERENCE = "folded"


def header(reference: str = REFERENCE) -> list[str]:
    """Name the columns of :func:`cost_rows`."""
    return [
        "block",
        "parameters",
        "GFLOP",
        "GFLOP, convolutions only",
        "kept for backward (MiB)",
        "peak of inference (MiB)",
        "peak of training (MiB)",
        "forward (ms)",
        f"of {reference}'s",
        "training step (ms)",
        f"of {reference}'s",
    ]


def cost_rows(costs: Sequence[Cost], reference: str = REFERENCE) -> list[list[str]]:
    """Rows of :func:`header`, one a block; ratios are medians of those within a round, with quartiles."""
    compared = next(cost for cost in costs if cost.block == reference)
    return [_row(cost, compared) for cost in costs]


def _row(cost: Cost, reference: Cost) -> list[str]:
    return [
        cost.block,
        f"{cost.parameters:,}",
        f"{cost.flops / 1e9:.3g}",
        f"{cost.flops_of_convolutions / 1e9:.3g}",
        *(_mib(size) for size in (cost.kept_for_backward, cost.peak_of_inference, cost.peak_of_training)),
        f"{1000 * statistics.median(cost.forward):.3g}",
        ratio(cost.forward, reference.forward),
        f"{1000 * statistics.median(cost.training):.3g}",
        ratio(cost.training, reference.training),
    ]


def _mib(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:,.0f}"


def ratio(times: Sequence[float], reference: Sequence[float]) -> str:
    """Median and quartiles of the ratios of times of the same round."""
    ratios = [a / b for a, b in zip(times, reference, strict=False)]
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cost_curves(benchmark: AttentionBenchmark, reference: str = REFERENCE) -> bytes:
    """Plot time, peak memory and operations over the number of voxels, as PNG, the reference thick."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(19, 5), layout="constrained")
    curves = {
        "forward (s)": lambda cost: statistics.median(cost.forward),
        "training step (s)": lambda cost: statistics.median(cost.training),
        "peak of training (MiB)": lambda cost: cost.peak_of_training / 2**20,
        "GFLOP": lambda cost: cost.flops / 1e9,
    }
    names = dict.fromkeys(cost.block for cost in benchmark.costs)
    for panel, (label, value) in zip(panels, curves.items(), strict=True):
        for index, name in enumerate(names):
            costs = [cost for cost in benchmark.costs if cost.block == name]
            style = {"linewidth": 3, "zorder": 3} if name == reference else {"linewidth": 1.2}
            marker = "osv^D<>PX*ph"[index % 12]
            panel.loglog([c.size**3 for c in costs], [value(c) for c in costs], marker=marker, label=name, **style)
        panel.set(xlabel="voxels", title=label)
        panel.grid(True, which="both", alpha=0.25)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    plt.close(figure)
    return stream.getvalue()
