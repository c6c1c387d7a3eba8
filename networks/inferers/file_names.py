"""The files that a batch is from."""

from __future__ import annotations

from monai.data import MetaTensor
from torch import Tensor


def file_names(inputs: Tensor, default: str) -> list[str]:
    """Name the file of each item of a batch: the first of its sources, where there are several, such as k-space."""
    meta = inputs.meta if isinstance(inputs, MetaTensor) else {}
    names = meta.get("sources", meta.get("filename_or_obj"))
    if not (isinstance(names, (list, tuple)) and len(names) == len(inputs)):
        names = [names] * len(inputs)
    return [str(name or default).partition("\n")[0] for name in names]
