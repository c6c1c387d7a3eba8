"""Ventricles of tissue maps, told from other fluid by their place and shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]
Coordinate = NDArray[np.float64]
Mask = NDArray[np.bool_]

SMALLEST = 1.0  # ml
REGROWN = 3  # voxels, after opening by one


def find_ventricles(csf: Volume, x: Coordinate, y: Coordinate, z: Coordinate) -> Volume:
    """Find the lateral ventricles, and what of the third hangs together with them.

    Fluid around them is opened by a voxel, so that clefts no longer connect it; what is larger than a milliliter and
    lies in the middle by half is kept and grown back. In seven patients 12 to 90 ml, without cisterns and fissures.

    Args:
        csf: share of fluid, ``(x, y, z)``.
        x: MNI mm of each voxel, of shape ``(x, 1, 1)``; the brain need not have the template's size.
        y: the same, ``(1, y, 1)``.
        z: the same, ``(1, 1, z)``.

    Returns:
        1 in ventricles, 0 elsewhere.
    """
    fluid = (csf > 0.5) & _may_be_ventricle(x, y, z)
    labels, _ = ndimage.label(ndimage.binary_opening(fluid, ndimage.generate_binary_structure(3, 2)))
    in_middle = (abs(x) < 28) & (y > -46) & (y < 36) & (z > 3) & (z < 30)
    sizes = np.bincount(labels.ravel())
    sizes_in_middle = np.bincount(labels[in_middle], minlength=sizes.size)
    voxel_volume = np.prod([np.diff(axis.ravel()[:2])[0] for axis in (x, y, z)]) / 1000
    is_kept = (sizes_in_middle > sizes / 2) & (sizes * voxel_volume > SMALLEST)
    is_kept[0] = False
    return ndimage.binary_dilation(is_kept[labels], iterations=REGROWN, mask=fluid).astype(np.float32)


def _may_be_ventricle(x: Coordinate, y: Coordinate, z: Coordinate) -> Mask:
    """Boxes (MNI mm) of the bodies and of the temporal horns, without cisterns and the fissure between hemispheres."""
    bodies = (abs(x) < 42) & (y > -66) & (y < 42) & (z > -2) & (z < 40) & ~((abs(x) > 26) & (y > -14))
    temporal_horns = (abs(x) > 26) & (abs(x) < 42) & (y > -48) & (y < -12) & (z > -14) & (z <= -2)
    cisterns = (abs(x) < 14) & (y < -26) & (z < 12)
    fissure = (abs(x) < 9) & ((y < -42) | (y > 24) | (z > 28))
    return np.asarray((bodies & ~cisterns & ~fissure) | temporal_horns)
