"""Low resolution as a scanner makes it: the center of k-space alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import ensure_tuple_rep
from torch import Tensor

from ..operators.grids import first_voxel_affine
from ..operators.kspace_truncation import coarse_size, truncate_kspace
from .keyed import matching_keys


class TruncateKspace(Transform):
    """Lower the resolution of ``(c, *spatial)`` by :func:`truncate_kspace`; a MetaTensor gets the coarser affine.

    Args:
        factor: by how much, for all or for each axis, 1 for none; ``n = floor(N / factor)`` samples are left, and
            voxels are N / n times as large, their first one at the same place.
        magnitude: return magnitudes, as a scanner does; otherwise what comes, complex for complex images.
        keep_intensity: see :func:`truncate_kspace`.

    Raises:
        ValueError: if a factor is below one.
    """

    def __init__(
        self, factor: float | Sequence[float] = 2, magnitude: bool = True, keep_intensity: bool = True
    ) -> None:
        if min(ensure_tuple_rep(factor, 1) if isinstance(factor, (int, float)) else factor) < 1:
            raise ValueError(f"factor must not be below 1, got {factor}")
        self.factor = factor
        self.magnitude = magnitude
        self.keep_intensity = keep_intensity

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image of low resolution."""
        shape = tuple(image.shape[1:])
        size = coarse_size(shape, ensure_tuple_rep(self.factor, len(shape)))
        plain = image.as_tensor() if isinstance(image, MetaTensor) else image
        low = truncate_kspace(plain, size, self.keep_intensity)
        low = low.abs() if self.magnitude else low
        if not isinstance(image, MetaTensor):
            return low
        affine = first_voxel_affine(image.affine, [n / m for n, m in zip(shape, size, strict=True)])
        return MetaTensor(low, affine=affine, meta=dict(image.meta))


class TruncateKspaced(MapTransform):
    """Dictionary version of :class:`TruncateKspace`.

    Args:
        keys: of images.
        output_keys: where those of low resolution go; in place if it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`TruncateKspace`.

    Raises:
        ValueError: if ``output_keys`` are not as many as ``keys``.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.transform = TruncateKspace(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Truncate what is at every key."""
        out = dict(data)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key])
        return out
