"""What every benchmark is told, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from ...datasets import InputError
from ..reports.table import Table
from ..running.records import write_json

MEDIANS = "Medians; the ratio of the same round with quartiles."

Progress = Callable[[str], None]


class Settings(NamedTuple):
    """What to measure.

    Attributes:
        device: on which.
        sizes: edges of cubes, slices or patches, ascending.
        n_rounds: of timing.
        channels: of the features, for blocks.
        names: of blocks or bundles; None for all.
        progress: is told what is going on.
    """

    device: torch.device
    sizes: Sequence[int]
    n_rounds: int
    channels: int
    names: Sequence[str] | None
    progress: Progress

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
        header: of the table.
        rows: of the table.
        plot: as PNG.
        remark: a line below the table.
        facts: beside those of the machine.
    """

    title: str
    content: Mapping[str, object]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    plot: bytes
    remark: str = MEDIANS
    facts: Mapping[str, str] = {}

    @property
    def table(self) -> str:
        """In Markdown."""
        return Table(self.header, self.rows).markdown()

    def write(self, folder: Path, name: str, machine: Mapping[str, str]) -> list[str]:
        """Write JSON, Markdown and plot of this ``name``, and return the names of these files."""
        machine = {**machine, **self.facts}
        facts = "".join(f"- {key}: {value}\n" for key, value in machine.items())
        write_json({"machine": machine, **self.content}, folder / f"{name}.json")
        (folder / f"{name}.md").write_text(f"# {self.title}\n\n{facts}\n{self.table}\n{self.remark}\n")
        (folder / f"{name}.png").write_bytes(self.plot)
        return [f"{name}.{kind}" for kind in ("json", "md", "png")]
