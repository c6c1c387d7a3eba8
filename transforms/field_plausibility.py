"""Local fields and maps of susceptibility that are likely not what they were taken for."""

from __future__ import annotations

import math

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from torch import Tensor

TEMPLATE_CODES = (3, 4, 5)
"""Of NIfTI, for the spaces of Talairach, MNI and other templates."""

TEMPLATE_SHAPES = ((182, 218, 182), (181, 217, 181), (91, 109, 91), (193, 229, 193), (97, 115, 97), (197, 233, 189))
"""Of MNI's, which have voxels along the axes of the world."""

JUMPS = 20  # neighbors that differ by more than pi, of which noise makes few
EDGE = 2  # voxels of the mask's border that do not count
TAIL = 0.001  # quantile of susceptibility, and the same from above
TOO_DIAMAGNETIC = -0.15  # asymmetry of the tails; simulated heads have 0.37 to 0.47, with the other sign the negative
MIN_VOXELS = 1000


def is_template_space(header: nib.Nifti1Header) -> bool:
    """Tell whether an image was brought to the space of a template, by its codes, or by the size of its grid."""
    if any(int(header[name]) in TEMPLATE_CODES for name in ("sform_code", "qform_code")):
        return True
    axes = np.abs(header.get_best_affine()[:3, :3])
    return header.get_data_shape() in TEMPLATE_SHAPES and np.count_nonzero(axes > 1e-6 * axes.max()) == 3


def is_wrapped(phase: Tensor) -> bool:
    """Tell whether phase (rad) ``(1, x, y, z)`` keeps to 2 pi and jumps within them; zeros do not count."""
    values = phase[0].numpy()
    if np.ptp(values) > 2 * math.pi + 0.01:
        return False
    known = np.where(values == 0, np.nan, values)
    jumps = (np.abs(np.diff(known, axis=axis)) > math.pi for axis in range(3))
    return sum(int(np.count_nonzero(jump)) for jump in jumps) >= JUMPS


def is_inverted(susceptibility: ArrayLike, mask: ArrayLike) -> bool:
    """Tell whether the strongest sources of a brain are diamagnetic, where veins and basal ganglia ought to be.

    Compares how far the 0.001 and 0.999 quantiles are from the median, in the mask without its border.

    Args:
        susceptibility: ``(x, y, z)``.
        mask: of the brain, of the same shape.
    """
    inside: NDArray[np.bool_] = ndimage.binary_erosion(np.asarray(mask) > 0, iterations=EDGE)
    values = np.asarray(susceptibility)[inside]
    if values.size < MIN_VOXELS:
        return False
    low, median, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL])
    return bool(high > low and (high + low - 2 * median) / (high - low) < TOO_DIAMAGNETIC)
