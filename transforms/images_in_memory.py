"""Contrasts that a program hands over in memory, as MONAI Deploy does, in the place of files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.data import MetaTensor
from torch import Tensor

from ..datasets.input_error import InputError
from .missing_contrasts import MISSING, is_empty, tell_missing

PLACE = "image in memory"
FILE = "filename_or_obj"
"""In the ``meta`` of an image: the file from which it was read; an image in memory has none."""


def contrasts_in_memory(
    values: Tensor, contrasts: Sequence[str], reference: str, optional: Sequence[str] = (), allow_nan: bool = False
) -> MetaTensor:
    """Return contrasts as :class:`LoadContrastsd` does, float32 ``(n_contrasts, x, y, z)``; they are on one grid.

    Args:
        values: ``(n_contrasts, x, y, z)``, zero where one is missing; or ``(x, y, z)`` or ``(1, x, y, z)``, the
            reference alone. A MetaTensor tells its affine (RAS, mm); any other has voxels of 1 mm.
        contrasts: in the order of the channels.
        reference: the one that must be there.
        optional: those that may be missing.
        allow_nan: replace NaN and Inf by 0.

    Raises:
        InputError: if the shape is another one, a contrast is missing, or values are not finite.
    """
    channels = _stacked(values, contrasts, reference).to(torch.float32)
    if not channels.isfinite().all():
        if not allow_nan:
            raise InputError.at(PLACE, "holds NaN or Inf", "correct it, or set `allow_nan` to true")
        channels = channels.nan_to_num(0, 0, 0)
    missing = [name for number, name in enumerate(contrasts) if is_empty(channels, number)]
    if required := [name for name in missing if name not in optional]:
        raise InputError.at(PLACE, f"its {' and '.join(required)} is zero everywhere", _remedy(contrasts))
    tell_missing(PLACE, missing, [name for name in contrasts if name not in missing])
    meta = {name: value for name, value in getattr(values, "meta", {}).items() if name != FILE}
    return MetaTensor(channels, meta=meta | {MISSING: "\n".join(missing)})


def _stacked(values: Tensor, contrasts: Sequence[str], reference: str) -> Tensor:
    given = values.as_tensor() if isinstance(values, MetaTensor) else values
    given = given[None] if given.ndim == 3 else given
    if given.ndim != 4 or len(given) not in (1, len(contrasts)):
        raise InputError.at(PLACE, f"has the shape {tuple(values.shape)}", _remedy(contrasts))
    if len(given) == len(contrasts):
        return given
    return torch.cat([given if name == reference else torch.zeros_like(given) for name in contrasts])


def _remedy(contrasts: Sequence[str]) -> str:
    return f"stack {', '.join(contrasts)} in this order as (n, x, y, z), on one grid"
