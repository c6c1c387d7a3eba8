"""The benchmarks ``attention`` and ``cross-scale``: table and curves of what attention blocks cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict

from .attention import Cost, measure_attention
from .attention_cases import AttentionCase, attention_cases, cross_scale_cases
from .result import Result, Settings, milliseconds, ratio


def attention_blocks(settings: Settings) -> Result:
    """Compare attention blocks with folded attention."""
    return _compared("Attention", settings, attention_cases(), "folded")


def cross_scale_blocks(settings: Settings) -> Result:
    """Compare forms of cross-scale attention with the streamed one."""
    return _compared("Cross-scale", settings, cross_scale_cases(), "cross-scale")


def _compared(kind: str, settings: Settings, cases: Sequence[AttentionCase], reference: str) -> Result:
    wanted = {*settings.choose([case.name for case in cases], "block"), reference}
    costs, left_out = measure_attention(settings, [case for case in cases if case.name in wanted])
    last = settings.sizes[-1]
    return Result(
        f"{kind} blocks at 1 x {settings.channels} x {last}^3",
        {"left_out": left_out, "costs": [asdict(cost) for cost in costs]},
        cost_rows([cost for cost in costs if cost.size == last], reference),
        cost_curves(costs, reference),
        f"Did not fit: {', '.join(left_out)}." if left_out else "",
    )


def cost_rows(costs: Sequence[Cost], reference: str) -> list[dict[str, str]]:
    """Rows of the table, one a block; ratios are medians of those within a round, with quartiles."""
    compared = next(cost for cost in costs if cost.block == reference)
    return [_row(cost, compared) for cost in costs]


def _row(cost: Cost, reference: Cost) -> dict[str, str]:
    return {
        "block": cost.block,
        "parameters": f"{cost.parameters:,}",
        "GFLOP": f"{cost.flops / 1e9:.3g}",
        "GFLOP, convolutions only": f"{cost.flops_of_convolutions / 1e9:.3g}",
        "kept for backward (MiB)": _mib(cost.kept_for_backward),
        "peak of inference (MiB)": _mib(cost.peak_of_inference),
        "peak of training (MiB)": _mib(cost.peak_of_training),
        "forward (ms)": milliseconds(cost.forward),
        f"forward, of {reference.block}'s": ratio(cost.forward, reference.forward),
        "training step (ms)": milliseconds(cost.training),
        f"training step, of {reference.block}'s": ratio(cost.training, reference.training),
    }


def _mib(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:,.0f}"


def cost_curves(costs: Sequence[Cost], reference: str) -> bytes:
    """Plot time, peak memory and operations over the number of voxels, as PNG, the reference thick."""
    from ..reports.charts import chart_panels, to_png

    curves = {
        "forward (s)": lambda cost: statistics.median(cost.forward),
        "training step (s)": lambda cost: statistics.median(cost.training),
        "peak of training (MiB)": lambda cost: cost.peak_of_training / 2**20,
        "GFLOP": lambda cost: cost.flops / 1e9,
    }
    names = dict.fromkeys(cost.block for cost in costs)
    figure, panels = chart_panels(len(curves), 4.75, 5, n_columns=len(curves))
    for panel, (label, value) in zip(panels, curves.items(), strict=True):
        for index, name in enumerate(names):
            curve = [cost for cost in costs if cost.block == name]
            style = {"linewidth": 3, "zorder": 3} if name == reference else {"linewidth": 1.2}
            marker = "osv^D<>PX*ph"[index % 12]
            panel.loglog([c.size**3 for c in curve], [value(c) for c in curve], marker=marker, label=name, **style)
        panel.set(xlabel="voxels", title=label)
        panel.grid(True, which="both", alpha=0.25)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    return to_png(figure, dpi=100)
