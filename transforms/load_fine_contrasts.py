"""Load a contrast of low resolution and others onto its finer grid."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from monai.data import MetaTensor

from ..datasets.volumes import geometry_header, header_of
from ..operators.grids import first_voxel_affine
from ..operators.kspace_truncation import zero_fill_kspace
from ..operators.slice_axis import slice_axis
from .load_contrasts import LoadContrastsd

logger = logging.getLogger(__name__)

COARSE = 1.5  # pixels of the fine grid, from which on another contrast is too coarse to be much of a guide


class LoadFineContrastsd(LoadContrastsd):
    """Enlarge the reference in its planes by zero-filling of k-space, and load the other contrasts onto that grid.

    The grid is the reference's with pixels ``scale`` times smaller and the same center of its first voxel, as
    :func:`truncate_kspace` leaves it. The header that goes with the image, and with results on its grid, is that of
    the fine grid. All else is as in :class:`LoadContrastsd`; a contrast of pixels larger than 1.5 fine ones is a
    warning in the log.

    Args:
        args: of :class:`LoadContrastsd`.
        scale: number of pixels that one becomes along each axis of a plane.
        axis: across slices, 0 to 2, of the reference's file; by :func:`slice_axis` if it is None.
        is_joint: all contrasts are of low resolution: enlarge each of them so before it is resampled.
        options: of :class:`LoadContrastsd`.

    Raises:
        ValueError: if ``scale`` is not a whole number above zero, and as :class:`LoadContrastsd` does.
    """

    def __init__(
        self, *args: Any, scale: int = 2, axis: int | None = None, is_joint: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if scale != int(scale) or scale < 1:
            raise ValueError(f"scale must be a whole number above zero, got {scale}")
        self.scale = int(scale)
        self.axis = axis
        self.is_joint = is_joint

    def _on_grid(self, reference: MetaTensor) -> MetaTensor:
        """Enlarge ``(1, x, y, z)``."""
        axis = slice_axis(reference.affine) if self.axis is None else self.axis
        factors = [1 if i == axis else self.scale for i in range(3)]
        size = [n * factor for n, factor in zip(reference.shape[1:], factors, strict=True)]
        affine = first_voxel_affine(reference.affine, [1 / factor for factor in factors])
        header = geometry_header(tuple(size), affine.numpy(), header_of(reference))
        best = header.get_best_affine()
        grid = {
            "spatial_shape": np.asarray(size),
            "original_affine": best.copy(),
            "nifti_header": np.frombuffer(header.binaryblock, dtype=np.uint8).copy(),
        }
        values = zero_fill_kspace(reference.as_tensor(), size)
        return MetaTensor(values, affine=affine.new_tensor(best), meta=reference.meta | grid)

    def _align(self, image: MetaTensor, reference: MetaTensor, name: str) -> tuple[MetaTensor, np.ndarray]:
        if self.is_joint and image is not reference:
            image = self._on_grid(image)
        voxel, fine = (np.sort(np.linalg.norm(x.affine[:3, :3].numpy(), axis=0)) for x in (image, reference))
        if voxel[1] > COARSE * fine[1]:
            message = "%s: pixels of %.2f mm are coarser than those of the result, %.2f mm, and guide it little"
            logger.warning(message, image.meta["filename_or_obj"], voxel[1], fine[1])
        return super()._align(image, reference, name)
