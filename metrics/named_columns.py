"""A MONAI metric of several named numbers per case."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric
from monai.metrics.utils import do_metric_reduction
from monai.utils import MetricReduction, ensure_tuple, look_up_option
from torch import Tensor

Images = Tensor | Sequence[Tensor]


class NamedColumnsMetric(CumulativeIterationMetric):
    """Collect values of shape ``(b, len(names))``; what is undefined is NaN and left out of means.

    Takes predictions ``(b, 1, *spatial)`` and truths ``(b, c, *spatial)``, or lists of both without the first axis. A
    subclass sets ``names``, all that it knows, how many channels a truth and how many spatial axes both may have, and
    ``_row``.

    Args:
        columns: one or several of ``names``; all of them where it is None.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI; ``"mean_batch"`` is the mean over cases.

    Attributes:
        names: of the columns.

    Raises:
        ValueError: for unknown ``columns`` or ``reduction``; for aggregating before any call; when called, for images
            that differ in number or shape.
    """

    names: tuple[str, ...]
    images = "images"
    n_channels: tuple[int, ...] = (1,)
    spatial_dims: tuple[int, ...] = (1, 2, 3)

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
        pairs = ((p.detach().unsqueeze(0), t.detach().unsqueeze(0)) for p, t in zip(y_pred, y, strict=True))
        return torch.cat([self._compute_tensor(*pair) for pair in pairs])

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **_: Any) -> Tensor:
        fits = y is not None and y.shape[1] in self.n_channels and y_pred.ndim - 2 in self.spatial_dims
        if y is None or not fits or y_pred.shape != y[:, :1].shape:
            channels, dims = (" or ".join(map(str, numbers)) for numbers in (self.n_channels, self.spatial_dims))
            shapes = f"(b, 1, *spatial) and (b, {channels}, *spatial) with {dims} spatial axes"
            got = f"{tuple(y_pred.shape)} and {None if y is None else tuple(y.shape)}"
            raise ValueError(f"{self.images} must have shapes {shapes}, got {got}")
        rows = [self._row(*case) for case in self._cases(y_pred, y)]
        return torch.tensor(rows, dtype=torch.float32, device=y_pred.device)

    def _cases(self, y_pred: Tensor, y: Tensor) -> Iterable[tuple[Any, ...]]:
        """Split a batch into prediction, truth and what other channels the truth has, each ``(*spatial)``."""
        predictions, truths = (t.detach().as_subclass(Tensor).double().cpu().numpy() for t in (y_pred, y))
        return [(p[0], *t) for p, t in zip(predictions, truths, strict=True)]

    @abstractmethod
    def _row(self, *images: Any, **_: Any) -> list[float]:
        """Return the columns of a case, of what :meth:`_cases` yields for it."""
