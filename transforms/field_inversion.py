"""Classical dipole inversion as a further channel, and the zero of susceptibility."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from ..datasets.input_error import InputError
from ..operators.dipole_inversion.solvers import NamedSolver
from ..operators.field_noise import estimate_field_noise
from .positive_numbers import require_positive

NOISE_KEY = "noise"


class AppendInversiond(MapTransform):
    """Append the susceptibility (ppm) that a classical solver finds to a field, as its second channel.

    The solver sees the whole volume, its voxel size and direction of B0, so that a network after it needs none of them
    and may work on patches. The map has mean zero in the mask.

    Args:
        keys: of fields (ppm) ``(1, x, y, z)``.
        solver: arguments of :class:`NamedSolver`, such as ``{"method": "tkd", "threshold": 0.15}``; with None, fields
            stay alone.
        mask_key: of the brain mask.
        structure_key: of an image with the shape of the field, at whose edges the map may jump; None for no such image.

    Raises:
        ValueError: as :class:`NamedSolver` does.
        InputError: if the solver has a weight that is not positive; when called, without an image at ``structure_key``.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        solver: Mapping[str, Any] | None = None,
        mask_key: str = "mask",
        structure_key: str | None = None,
    ) -> None:
        super().__init__(keys)
        require_positive("weight", (solver or {}).get("weight"))
        self.solver = None if solver is None else NamedSolver(**solver)
        self.mask_key, self.structure_key = mask_key, structure_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Append the map to the field at every key."""
        out = dict(data)
        if self.solver is None:
            return out
        for key in self.key_iterator(out):
            field, mask = (_batch_of_one(out[k]) for k in (key, self.mask_key))
            geometry = out["voxel_size"], out["b0_direction"]
            if out.get(NOISE_KEY) is None:
                out[NOISE_KEY] = estimate_field_noise(field, mask, *geometry)[0]
            with torch.no_grad():
                found = self.solver(field, *geometry, mask, _batch_of_one(out[NOISE_KEY]), self._structure(out))
            out[key] = torch.cat([out[key], subtract_masked_mean(found, mask)[0]])
        return out

    def _structure(self, data: Mapping[Hashable, Any]) -> Tensor | None:
        if self.structure_key is None:
            return None
        if data.get(self.structure_key) is None:
            problem = f"there is no image {self.structure_key!r} beside the field, at whose edges its map could jump"
            raise InputError.at(self.structure_key, problem, "give one, or set `structure` to null")
        return _batch_of_one(data[self.structure_key])


class SubtractMaskedMeand(MapTransform):
    """Make the mean in the mask zero, and all outside of it.

    Args:
        keys: of maps ``(c, x, y, z)``.
        mask_key: of the mask.
        allow_missing_keys: skip keys that are not there, or None, as MONAI's evaluator sets the label without truth.
    """

    def __init__(self, keys: KeysCollection, mask_key: str = "mask", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shift the map at every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            if out[key] is None and self.allow_missing_keys:
                continue
            mask = torch.as_tensor(out[self.mask_key]).as_subclass(Tensor).to(out[key])
            out[key] = subtract_masked_mean(out[key], mask)
        return out


def _batch_of_one(values: object) -> Tensor:
    return torch.as_tensor(values).as_subclass(Tensor).float()[None]


def subtract_masked_mean(image: Tensor, mask: Tensor) -> Tensor:
    """Subtract the mean in a mask of 0 and 1 from an image, and set it to zero outside."""
    return (image - (image * mask).sum() / mask.sum().clamp(min=1)) * mask
