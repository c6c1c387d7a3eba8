"""Simulate the field of a susceptibility map, as a MONAI transform."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import ensure_tuple
from torch import Tensor

from ..operators.b0_direction import Vector, b0_direction_from_affine, voxel_size_from_affine
from ..operators.dipole_convolution import DipoleConvolution, Kernel


class DipoleField(Transform):
    """Replace a susceptibility map (ppm) ``(c, x, y, z)`` by the relative field shift that it makes (ppm).

    Args:
        voxel_size: mm; from the affine of a MetaTensor where it is None.
        b0_direction: in voxel axes; where it is None, the scanner's z axis in those of the affine.
        padding: see :class:`DipoleConvolution`.
        kernel: see :class:`DipoleConvolution`.

    Raises:
        ValueError: when called with a plain tensor and without one of the first two.
        ValueError: when an affine is singular or sheared.
    """

    def __init__(
        self,
        voxel_size: Vector | None = None,
        b0_direction: Vector | None = None,
        padding: float = 2.0,
        kernel: Kernel = "kspace",
    ) -> None:
        self.voxel_size = voxel_size
        self.b0_direction = b0_direction
        self.padding = padding
        self.kernel = kernel

    def __call__(self, susceptibility: Tensor, b0_direction: Vector | None = None) -> Tensor:
        """Return the field on the same grid; a direction given here goes before that of the constructor."""
        sizes, direction = geometry(
            susceptibility, self.voxel_size, self.b0_direction if b0_direction is None else b0_direction
        )
        like = {"dtype": susceptibility.dtype, "device": susceptibility.device}
        convolve = DipoleConvolution(susceptibility.shape[1:], sizes, direction, self.padding, self.kernel, **like)
        return convolve(susceptibility[None])[0]


class DipoleFieldd(MapTransform):
    """Dictionary version of :class:`DipoleField`.

    Args:
        keys: of susceptibility maps.
        output_keys: where the fields go; in place of the maps if it is None.
        direction_key: of the direction of B0 in voxel axes, used where the data have it.
        allow_missing_keys: skip keys that are not there.
        options: further arguments of :class:`DipoleField`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        direction_key: str = "b0_direction",
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = self.keys if output_keys is None else ensure_tuple(output_keys)
        if len(self.output_keys) != len(self.keys):
            raise ValueError(f"output_keys must be as many as keys, got {self.output_keys} for {self.keys}")
        self.direction_key = direction_key
        self.transform = DipoleField(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the field of the map at every key."""
        out = dict(data)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key], out.get(self.direction_key))
        return out


def geometry(image: Tensor, voxel_size: Vector | None, b0_direction: Vector | None) -> tuple[Tensor, Tensor]:
    """Return voxel size (mm) and direction of B0 (voxel axes); the affine of ``image`` stands in for what is None.

    Raises:
        ValueError: if one is None and the image has no affine.
        ValueError: if the affine is singular or sheared.
    """
    if isinstance(image, MetaTensor):
        affine = image.affine.cpu().numpy()
        voxel_size = voxel_size_from_affine(affine) if voxel_size is None else voxel_size
        b0_direction = b0_direction_from_affine(affine) if b0_direction is None else b0_direction
    if voxel_size is None or b0_direction is None:
        raise ValueError(f"an image without affine needs both, got {voxel_size=}, {b0_direction=}")
    return torch.as_tensor(voxel_size), torch.as_tensor(b0_direction)
