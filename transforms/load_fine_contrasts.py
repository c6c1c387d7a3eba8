"""Load a contrast of low resolution and others onto its finer grid."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor
from torch import Tensor

from ..datasets.input_error import InputError
from ..datasets.volumes import geometry_header, header_of, read_volume
from ..operators.fourier import image_to_kspace
from ..operators.grids import first_voxel_affine
from ..operators.kspace_support import kspace_support
from ..operators.kspace_truncation import zero_fill_kspace
from ..operators.slice_axis import is_slice_axis_doubtful, slice_axis, slice_axis_by_guide
from .alignment import Alignment
from .images_in_memory import PLACE
from .load_contrasts import LoadContrastsd

logger = logging.getLogger(__name__)

ACROSS = "across_slices"
"""In the ``meta`` of an image: its axis across slices."""

COARSE = 1.5  # pixels of the fine grid, from which on another contrast is too coarse to be much of a guide


class LoadFineContrastsd(LoadContrastsd):
    """Enlarge the reference in its planes by zero-filling of k-space, and load the other contrasts onto that grid.

    The grid is the reference's with pixels ``scale`` times smaller and the same center of its first voxel, as
    :func:`truncate_kspace` leaves it. The header that goes with the image, and with results on its grid, is that of
    the fine grid. All else is as in :class:`LoadContrastsd`; a contrast of pixels larger than 1.5 fine ones is a
    warning in the log, and so is one to be enlarged that was interpolated before, see :func:`kspace_support`.

    Args:
        args: of :class:`LoadContrastsd`.
        scale: number of pixels that one becomes along each axis of a plane.
        axis: across slices, 0 to 2, of the reference's file. If it is None, the one along which another contrast has
            the same voxel size, and a smaller one along the others; else by :func:`slice_axis`, which is a warning in
            the log if it is doubtful. ``meta["across_slices"]`` tells it.
        is_joint: all contrasts are of low resolution: enlarge each of them so before it is resampled.
        options: of :class:`LoadContrastsd`.

    Raises:
        ValueError: as :class:`LoadContrastsd` does.
        InputError: if ``scale`` is not one whole number above zero; when called with an image in memory, and as
            :class:`LoadContrastsd` does.
    """

    def __init__(
        self, *args: Any, scale: int = 2, axis: int | None = None, is_joint: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if not isinstance(scale, int | float) or scale != int(scale) or scale < 1:
            remedy = "give one, which holds along both axes of a plane"
            raise InputError.at(f"`scale` {scale}", "is not a whole number above zero", remedy)
        self.scale = int(scale)
        self.axis = axis
        self.is_joint = is_joint

    def take(self, image: Tensor) -> MetaTensor:
        """Refuse contrasts in memory, which cannot be on two grids."""
        raise InputError.at(PLACE, "cannot be enlarged", "give a file for each contrast")

    def load(self, paths: Mapping[str, Path]) -> MetaTensor:
        """Load ``paths`` (contrast to path) as ``(n_contrasts, x, y, z)``."""
        others = [path for name, path in paths.items() if name != self.reference]
        self._across = self._find_axis(paths[self.reference], [] if self.is_joint else others)
        return super().load(paths)

    def _find_axis(self, path: Path, guides: Sequence[Path]) -> int:
        if self.axis is not None:
            return self.axis
        affine, *fine = (read_volume(file, allow_nan=True).affine for file in (path, *guides))
        found = next((axis for guide in fine if (axis := slice_axis_by_guide(affine, guide)) is not None), None)
        if found is not None:
            return found
        if is_slice_axis_doubtful(affine):
            sizes = " x ".join(f"{size:.2f}" for size in np.linalg.norm(affine[:3, :3].numpy(), axis=0))
            message = (
                "%s: of voxels of %s mm, axis %d is taken for the one across slices; if it is not, set `slice_axis`"
            )
            logger.warning(message, path, sizes, slice_axis(affine))
        return slice_axis(affine)

    def _on_grid(self, reference: MetaTensor) -> MetaTensor:
        """Enlarge ``(1, x, y, z)``."""
        return self._enlarged(reference, self._across)

    def _enlarged(self, reference: MetaTensor, axis: int) -> MetaTensor:
        _warn_of_interpolation(reference, axis)
        factors = [1 if i == axis else self.scale for i in range(3)]
        size = [n * factor for n, factor in zip(reference.shape[1:], factors, strict=True)]
        affine = first_voxel_affine(reference.affine, [1 / factor for factor in factors])
        header = geometry_header(tuple(size), affine.numpy(), header_of(reference))
        best = header.get_best_affine()
        grid = {
            ACROSS: axis,
            "spatial_shape": np.asarray(size),
            "original_affine": best.copy(),
            "nifti_header": np.frombuffer(header.binaryblock, dtype=np.uint8).copy(),
        }
        values = zero_fill_kspace(reference.as_tensor(), size)
        return MetaTensor(values, affine=affine.new_tensor(best), meta=reference.meta | grid)

    def _align(self, image: MetaTensor, reference: MetaTensor, name: str) -> tuple[MetaTensor, Alignment]:
        if self.is_joint and image is not reference:
            image = self._enlarged(image, slice_axis(image.affine) if self.axis is None else self.axis)
        voxel, fine = (np.sort(np.linalg.norm(x.affine[:3, :3].numpy(), axis=0)) for x in (image, reference))
        if voxel[1] > COARSE * fine[1]:
            message = "%s: pixels of %.2f mm are coarser than those of the result, %.2f mm, and guide it less"
            logger.warning(message, image.meta["filename_or_obj"], voxel[1], fine[1])
        return super()._align(image, reference, name)


def _warn_of_interpolation(image: MetaTensor, axis: int) -> None:
    shares = kspace_support(image_to_kspace(image.as_tensor().movedim(1 + axis, 1)))
    if min(shares) < 1:
        message = (
            "%s: it was interpolated before, as its k-space is empty beyond %.2f and %.2f of the way along the axes of "
            "its planes, so that the result has less detail than its pixels promise; give the image as it was "
            "acquired where you have it"
        )
        logger.warning(message, image.meta["filename_or_obj"], *shares)
