"""Error of an image inside lesions and outside of them."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from .named_columns import NamedColumnsMetric


class LesionError(NamedColumnsMetric):
    """Compute the root mean square error, or the mean error, in lesions or in the rest of the tissue.

    In units of the reference's mean over tissue, which is what lies above the mean of the whole volume. A guide that
    does not show a lesion and is painted into the result makes the mean error inside negative where lesions are bright.
    NaN where there is no lesion, or none is told.

    Takes predictions ``(b, 1, *spatial)`` and references ``(b, 2, *spatial)`` whose second channel is the mask of
    lesions, or with one channel for none.

    Args:
        where: ``"inside"`` or ``"outside"`` of lesions.
        is_signed: the mean error, not its root mean square.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: for another ``where``; when called, for images that differ in shape.
    """

    names = ("error",)

    def __init__(
        self, where: Literal["inside", "outside"] = "inside", is_signed: bool = False, reduction: str = "mean_batch"
    ) -> None:
        super().__init__(reduction)
        if where not in ("inside", "outside"):
            raise ValueError(f'where must be "inside" or "outside", got {where!r}')
        self.where = where
        self.is_signed = is_signed

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **_: Any) -> Tensor:
        if y is None or y.shape[1] not in (1, 2) or y_pred.shape != y[:, :1].shape:
            shapes = f"{tuple(y_pred.shape)} and {None if y is None else tuple(y.shape)}"
            raise ValueError(f"images must have shapes (b, 1, *spatial) and (b, 1 or 2, *spatial), got {shapes}")
        pairs = zip(*(t.detach().as_subclass(Tensor).double().cpu() for t in (y_pred, y)), strict=True)
        return torch.tensor([[self._value(p[0], *t)] for p, t in pairs], dtype=torch.float32, device=y_pred.device)

    def _value(self, prediction: Tensor, reference: Tensor, lesions: Tensor | None = None) -> float:
        tissue = reference > reference.mean()
        if lesions is None or not lesions.any() or not tissue.any():
            return math.nan
        place = lesions > 0 if self.where == "inside" else tissue & ~(lesions > 0)
        error = (prediction - reference)[place]
        value = error.mean() if self.is_signed else error.square().mean().sqrt()
        return float(value / reference[tissue].mean())
