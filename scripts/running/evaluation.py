"""What a network achieved on the cases of a dataset, and the conditions under which it did."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import Case, InputError
from .config_ids import require_kinds
from .configuration import Configuration
from .written_files import Pictures, file_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .attention_maps import AttentionMaps

CONFIGS = ("inference", "evaluate")
"""Of a bundle, in whose order they are merged."""

SUMMARY = "summary.json"
"""Name of the file that tells what an evaluation was made with, and its statistics."""

Condition = dict[str, Any]
"""Config ids and their values."""


@dataclass(frozen=True)
class Evaluation:
    """What one network achieved.

    Attributes:
        network: its name in tables.
        cases: entries of the datalist, each with ``subject``, ``session``, ``image`` (paths, None for what is missing)
            and ``label``.
        rows: metrics by name of each case, in the order of ``cases``; NaN where undefined.
        output_dir: where its predictions lie.
        contrasts: names of a case's images, in their order.
        model: file of its weights; None for a network without.
        files: what was written for each case.
        attention: what its folded attention attends to in the first case, if it has one.
        pictures: which of the images that it wrote belong together, where it makes images.
        sampled: mask of k-space ``(y, x)`` in the first case, where its input is undersampled.
        condition: config ids and values that were varied.
    """

    network: str
    cases: list[dict[str, Any]]
    rows: list[dict[str, float]]
    output_dir: Path
    contrasts: list[str]
    model: Path | None
    files: list[list[Path]] = field(default_factory=list)
    attention: AttentionMaps | None = None
    pictures: Pictures | None = None
    sampled: NDArray[Any] | None = None
    condition: Condition = field(default_factory=dict)

    @property
    def case_names(self) -> list[str]:
        """Subject and session of the cases, as in file names."""
        return [Case.of(case).name for case in self.cases]

    @property
    def condition_name(self) -> str:
        """Name of the condition in file names."""
        return condition_name(self.condition)

    @property
    def statistics(self) -> dict[str, dict[str, float]]:
        """Mean, spread and more of each metric, as from :func:`~mri_attention.metrics.summarize`."""
        from ...metrics import summarize

        return summarize(self.rows)

    def column(self, metric: str) -> list[float]:
        """Return the values of ``metric`` over the cases."""
        return [row[metric] for row in self.rows]

    def images(self, number: int) -> dict[str, Path]:
        """Return the images of a case that are there, by contrast."""
        given = self.cases[number]["image"]
        paths = given.values() if isinstance(given, Mapping) else given
        named = zip(self.contrasts, paths, strict=False)
        return {name: Path(path) for name, path in named if path is not None}

    def file(self, number: int, suffix: str) -> Path:
        """Return the file ``*_<suffix>.nii.gz`` of a case.

        Raises:
            InputError: if none was written.
        """
        if (file := file_of(self.files[number], suffix)) is None:
            name = self.case_names[number]
            raise InputError.at(name, f"no *_{suffix}.nii.gz was written", "add it to postprocessing")
        return file


def all_conditions(configuration: Configuration, vary: Sequence[Sequence[Condition]] = ()) -> list[Condition]:
    """Return every combination of one of each of ``vary``, and of the config's own list ``vary``, each once.

    Raises:
        InputError: if the configs have not an id that is to vary, or a value is of another kind than the config's.
    """
    choices = [*([configuration.value("vary")] if "vary" in configuration else []), *vary]
    combinations = [{name: value for part in parts for name, value in part.items()} for parts in product(*choices)]
    configuration.require(name for condition in combinations for name in condition)
    for condition in combinations:
        require_kinds(configuration.parser, condition)
    return list({condition_name(condition): condition for condition in combinations}.values())


def condition_name(condition: Condition) -> str:
    """Return a name for files, such as ``mask-radial_acceleration-6``; empty where nothing varies."""
    words = (f"{name.rpartition('::')[2]}-{value}" for name, value in condition.items())
    return "_".join(re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in words)
