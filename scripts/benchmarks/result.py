"""What every benchmark is told, and what it finds, as numbers, table and bars."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from ...datasets import InputError
from ..reports.table import Table
from ..running.records import write_json

MEDIANS = "Medians; the ratio of the same round with quartiles."

Progress = Callable[[str], None]
Row = Mapping[str, str]


class Settings(NamedTuple):
    """What to measure.

    Attributes:
        device: on which.
        sizes: edges of cubes, slices or patches, ascending.
        n_rounds: of timing.
        channels: of the features, for blocks.
        names: of blocks or bundles; None for all.
        progress: is told what is going on.
        dataset_dir: with the cases to measure on, where blocks and networks alone are not enough.
    """

    device: torch.device
    sizes: Sequence[int]
    n_rounds: int
    channels: int
    names: Sequence[str] | None
    progress: Progress
    dataset_dir: Path | None = None

    def choose(self, known: Iterable[str], kind: str) -> list[str]:
        """Return the names to measure among the ``known`` ones.

        Raises:
            InputError: if one is not known.
        """
        known = list(known)
        wanted = known if self.names is None else self.names
        if unknown := sorted(set(wanted) - set(known)):
            remedy = f"choose among {', '.join(known)}"
            raise InputError.at(f"--blocks {', '.join(unknown)}", f"no such {kind}", remedy)
        return [name for name in known if name in wanted]


class Result(NamedTuple):
    """What a benchmark found.

    Attributes:
        title: of the table.
        content: all numbers, for JSON.
        rows: of the table, cells by the heading of their column.
        plot: as PNG.
        remark: a line below the table.
        facts: beside those of the machine.
    """

    title: str
    content: Mapping[str, object]
    rows: Sequence[Row]
    plot: bytes
    remark: str = MEDIANS
    facts: Mapping[str, str] = {}

    @property
    def table(self) -> str:
        """In Markdown."""
        return Table([*self.rows[0]], [[*row.values()] for row in self.rows]).markdown()

    def write(self, folder: Path, name: str, machine: Mapping[str, str]) -> list[str]:
        """Write JSON, Markdown and plot of this ``name``, and return the names of these files."""
        machine = {**machine, **self.facts}
        facts = "".join(f"- {key}: {value}\n" for key, value in machine.items())
        write_json({"machine": machine, **self.content}, folder / f"{name}.json")
        (folder / f"{name}.md").write_text(
            f"# {self.title}\n\n{facts}\n{self.table}\n{self.remark}\n", encoding="utf-8"
        )
        (folder / f"{name}.png").write_bytes(self.plot)
        return [f"{name}.{kind}" for kind in ("json", "md", "png")]


def ratio(times: Sequence[float], reference: Sequence[float]) -> str:
    """Return median and quartiles of the ratios of times of the same round."""
    ratios = [a / b for a, b in zip(times, reference, strict=False)]
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def milliseconds(times: Sequence[float]) -> str:
    """Return the median of seconds, in milliseconds."""
    return f"{1000 * statistics.median(times):.3g}"


def grouped_bars(groups: Sequence[str], panels: Mapping[str, Mapping[str, Sequence[float]]]) -> bytes:
    """Plot one panel for each quantity, in each group one bar for each series, as PNG.

    Args:
        groups: labels below the bars.
        panels: for each quantity, the heights of each series, one for each group.
    """
    from ..reports.charts import chart_panels, to_png

    n_bars = len(groups) * max(len(series) for series in panels.values())
    figure, axes = chart_panels(len(panels), 2 + 0.8 * n_bars, 4)
    for axis, (quantity, series) in zip(axes, panels.items(), strict=True):
        width = 0.8 / len(series)
        for index, (name, heights) in enumerate(series.items()):
            shift = (index - (len(series) - 1) / 2) * width
            axis.bar([place + shift for place in range(len(groups))], heights, width, label=name)
        axis.set_xticks(range(len(groups)), groups)
        axis.set_ylabel(quantity)
        axis.legend()
    return to_png(figure)
