"""What makes a study of the cases of a dataset: numbers of each beside its result, one table of all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...datasets import InputError
from ..running.bundle import Bundle
from ..running.prediction import Prediction
from .region_means import label_map_of, require_label_maps
from .study_measures import write_measures
from .study_table import write_study_tables


@dataclass(frozen=True)
class Study:
    """The numbers of the cases of a dataset.

    Args:
        bundle: what makes results of them.
        dataset: BIDS folder or datalist.
        regions: label maps of a BIDS folder, ``PIPELINE/SUFFIX`` such as ``qsm/dseg``.

    Raises:
        InputError: if there are no such label maps.
    """

    bundle: Bundle
    dataset: Path
    regions: str | None = None

    def __post_init__(self) -> None:
        if self.regions is None:
            return
        if not self.dataset.is_dir():
            raise InputError.at(f"`regions` {self.regions}", "has no meaning without a BIDS folder", "leave it out")
        require_label_maps(self.dataset, self.regions)

    def add(self, prediction: Prediction) -> Path | None:
        """Write the numbers of a case beside its result, as ``finish`` of ``predict``."""
        label_map = None if self.regions is None else label_map_of(prediction.case, self.dataset, self.regions)
        return write_measures(prediction, self.bundle, label_map)

    def write(self, output_dir: Path) -> list[Path]:
        """Gather all cases of a folder of results in a table."""
        return write_study_tables(output_dir)
