"""Rotate the head in the scanner: a map, its field, and the direction of B0 together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import Affine, MapTransform, RandomizableTransform
from monai.utils import ensure_tuple_rep
from scipy.spatial.transform import Rotation
from torch import Tensor

from ..operators.b0_direction import Vector, b0_direction_from_affine, voxel_size_from_affine


class RandRotateWithFieldd(RandomizableTransform, MapTransform):
    """Rotate maps, fields and masks about the center of the grid by one random angle, and B0 with them.

    A field and the map that makes it stay consistent, as ``D(R B) R chi = R D(B) chi``, only if the direction of B0
    turns with them. It is written to ``direction_key``; affines follow too, and give the same direction. The rotation
    is one in mm, so that voxels may be anisotropic.

    Args:
        keys: of images ``(c, x, y, z)`` of one grid.
        max_angle: degrees; angles are uniform within plus and minus this.
        axis: of the rotation, in voxel axes; a random one, uniform on the sphere, if it is None. (0, 0, 1) is the
            in-plane rotation of Zhang et al. 2021 (arXiv:2009.05576).
        mode: interpolation of each key, ``"bilinear"`` or ``"nearest"``.
        direction_key: of the direction of B0 in voxel axes; where the data have none, it is that of the affine.
        prob: how often there is a rotation.
        voxel_size: mm; that of the affine if it is None.
        allow_missing_keys: skip keys that are not there.

    Raises:
        ValueError: if ``max_angle`` is negative or ``axis`` zero; when called, for images without affine and with no
            voxel size or direction given.
    """

    def __init__(
        self,
        keys: KeysCollection,
        max_angle: float = 15.0,
        axis: Sequence[float] | None = (0.0, 0.0, 1.0),
        mode: Sequence[str] | str = "bilinear",
        direction_key: str = "b0_direction",
        prob: float = 1.0,
        voxel_size: Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        if max_angle < 0 or (axis is not None and not np.any(axis)):
            raise ValueError(f"max_angle must not be negative and axis not zero, got {max_angle=}, {axis=}")
        self.max_angle = math.radians(max_angle)
        self.axis = axis
        self.modes = ensure_tuple_rep(mode, len(self.keys))
        self.direction_key = direction_key
        self.voxel_size = voxel_size
        self.rotation = Rotation.identity()

    def randomize(self, data: Any = None) -> None:
        """Draw whether to rotate, the axis and the angle."""
        super().randomize(data)
        if not self._do_transform:
            return
        axis = self.R.normal(size=3) if self.axis is None else np.asarray(self.axis, dtype=float)
        angle = self.R.uniform(-self.max_angle, self.max_angle)
        self.rotation = Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Rotate the image at every key, and write the direction."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        sizes, direction = _geometry(out[first], self.voxel_size, out.get(self.direction_key))
        self.randomize()
        if not self._do_transform:
            out[self.direction_key] = direction
            return out
        turn = self.rotation.as_matrix()
        scale = np.diag(np.asarray(sizes, dtype=float))
        to_source = np.eye(4)  # voxels of the rotated image to those of the image, about the center
        to_source[:3, :3] = np.linalg.inv(scale) @ turn.T @ scale
        for key, mode in self.key_iterator(out, self.modes):
            rotate = Affine(affine=to_source, mode=mode, padding_mode="zeros", image_only=True)
            out[key] = rotate(out[key])
        out[self.direction_key] = torch.as_tensor(turn).to(direction) @ direction
        return out


def _geometry(image: Tensor, voxel_size: Vector | None, b0_direction: Vector | None) -> tuple[Tensor, Tensor]:
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
