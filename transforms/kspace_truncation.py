"""Low resolution as a scanner makes it: the center of k-space alone."""

from __future__ import annotations

from collections.abc import Sequence

from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple_rep
from torch import Tensor

from ..operators.grids import first_voxel_affine
from ..operators.kspace_truncation import coarse_size, truncate_kspace
from .keyed import KeyedTransform


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


class TruncateKspaced(KeyedTransform):
    """Dictionary version of :class:`TruncateKspace`."""

    array = TruncateKspace
