"""A MONAI metric of several named numbers per case."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric
from monai.metrics.utils import do_metric_reduction
from monai.utils import MetricReduction, ensure_tuple, look_up_option
from torch import Tensor

Images = Tensor | Sequence[Tensor]


class NamedColumnsMetric(CumulativeIterationMetric):
    """Collect values of shape ``(b, len(names))``; what is undefined is NaN and left out of means.

    A subclass sets ``names``, all that it knows, and ``_compute_tensor``, of batches ``(b, c, *spatial)``.

    Args:
        columns: one or several of ``names``; all of them where it is None.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI; ``"mean_batch"`` is the mean over cases.

    Attributes:
        names: of the columns.

    Raises:
        ValueError: for unknown ``columns`` or ``reduction``; for aggregating before any call.
    """

    names: tuple[str, ...]
    images = "images"

    def __init__(self, columns: Sequence[str] | str | None = None, reduction: str = "mean_batch") -> None:
        super().__init__()
        self.reduction = look_up_option(reduction, MetricReduction)
        chosen = self.names if columns is None else ensure_tuple(columns)
        if not chosen or not set(chosen) <= set(self.names):
            raise ValueError(f"columns must be among {', '.join(self.names)}, got {columns!r}")
        self.names = tuple(chosen)

    def aggregate(self, reduction: str | None = None) -> Tensor:
        """Reduce what was collected over the values that are not NaN; NaN where there are none."""
        values, n_defined = do_metric_reduction(self._collected(), reduction or self.reduction)
        # MONAI's reductions give 0 where nothing was defined.
        return torch.where(n_defined > 0, values, math.nan)

    def rows(self) -> list[dict[str, float]]:
        """Return what was collected, one dictionary of ``names`` per case."""
        return [dict(zip(self.names, row, strict=True)) for row in self._collected().tolist()]

    def _collected(self) -> Tensor:
        values = self.get_buffer()
        if values is None:
            raise ValueError(f"{type(self).__name__} has collected no values")
        return values

    def _compute_list(self, y_pred: Images, y: Images | None = None, **_: Any) -> Tensor:
        if y is None or len(y_pred) != len(y):
            n_true = "no" if y is None else len(y)
            raise ValueError(f"got {len(y_pred)} predicted {self.images}, {n_true} true {self.images}")
        return torch.cat(
            [
                self._compute_tensor(p.detach().unsqueeze(0), t.detach().unsqueeze(0))
                for p, t in zip(y_pred, y, strict=True)
            ]
        )

    @abstractmethod
    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **_: Any) -> Tensor:
        """Return the columns of a batch, ``(b, len(names))``."""
