"""Texture of susceptibility within tissues, after the way of the second reconstruction challenge.

A tissue's mean is modulated by an image of the anatomy: ``chi = mean + amount * (image - its mean in the tissue)``
(Marques et al. 2021, Magn Reson Med 86:526, doi:10.1002/mrm.28716, where the images are R1 and R2*). Where there is no
image, one is simulated: fields whose power falls with the spatial frequency, bundles with borders, layers that follow
the border of white and gray matter, and gradients along nuclei.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]

SLOPES = (2.5, 3.4)  # of the power's fall, drawn for each subject; T1w images have 2.3 to 2.9 in white matter
LONGEST = 60.0  # mm, of the waves from which the power no longer rises
LAYER_LENGTH = 1.5  # mm, over which the share of white matter is averaged to tell the depth
LAYERS = {"white_matter": -0.6, "gray_matter": 0.5}
"""By how much a tissue gains where white matter is near, in units of its spread: myelin lies deep in white matter, iron
in the lower layers of the cortex (Fukunaga et al. 2010, Proc Natl Acad Sci 107:3834, doi:10.1073/pnas.0911177107)."""


class Gradient(NamedTuple):
    """Means of the gain from back to front, and from the outside to the middle, per spread of place and of value."""

    to_front: float
    to_middle: float


GRADIENTS = {
    "putamen": Gradient(-0.6, -0.1),
    "caudate": Gradient(0.2, 0.0),
    "pallidum": Gradient(0.0, 0.3),
    "thalamus": Gradient(-0.4, 0.0),
}
"""More iron at the back of the putamen and in the pulvinar (Deistung et al. 2013, doi:10.1016/j.neuroimage.2012.09.055,
and Langkammer et al. 2010, Radiology 257:455, doi:10.1148/radiol.10100495); sizes are chosen."""


def power_law_fields(
    shape: Sequence[int], voxel_size: Sequence[float], rng: np.random.Generator, n_fields: int, slope: float
) -> Volume:
    """Draw random fields whose power falls with the spatial frequency: ``(f^2 + 1 / LONGEST^2)^(-slope / 2)``.

    Args:
        shape: ``(x, y, z)``.
        voxel_size: mm.
        rng: source of all randomness.
        n_fields: how many.
        slope: of the power over the frequency, both logarithmic; 0 is white noise.

    Returns:
        ``(n, x, y, z)``, each of mean 0 and standard deviation 1, with no waves longer than the volume.
    """
    padded = [scipy.fft.next_fast_len(n, real=True) for n in shape]
    axes = [scipy.fft.fftfreq(n, size).astype(np.float32) for n, size in zip(padded, voxel_size, strict=True)]
    axes[2] = np.abs(axes[2][: padded[2] // 2 + 1])
    squares = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2
    filters = (squares + np.float32(1 / LONGEST**2)) ** np.float32(-slope / 4)
    filters[0, 0, 0] = 0
    fields = np.empty((n_fields, *shape), np.float32)
    for field in fields:
        waves = scipy.fft.rfftn(rng.standard_normal(padded, dtype=np.float32)) * filters
        field[:] = scipy.fft.irfftn(waves, padded)[tuple(slice(n) for n in shape)]
        field -= field.mean()
        field /= max(float(field.std()), 1e-6)
    return fields


def tissue_texture(
    fractions: Mapping[str, Volume],
    spreads: Mapping[str, float],
    voxel_size: Sequence[float],
    rng: np.random.Generator,
    image: Volume | None = None,
) -> Volume:
    """Draw what texture adds to the means of tissues (ppm): in each nothing on average, and its spread.

    Args:
        fractions: of the tissues, ``(x, y, z)``, x to a side and y to the front.
        spreads: ppm, standard deviation within each tissue.
        voxel_size: mm.
        rng: source of all randomness.
        image: of the anatomy, ``(x, y, z)``; its variation within tissues is half of the texture's variance, of a sign
            that is drawn for each tissue.

    Returns:
        ``(x, y, z)``.
    """
    shape = next(iter(fractions.values())).shape
    fields = power_law_fields(shape, voxel_size, rng, 3, rng.uniform(*SLOPES))
    fields[2] = np.tanh(3 * fields[2])
    white = fractions.get("white_matter", np.zeros(shape, np.float32))
    depth = ndimage.gaussian_filter(white, [LAYER_LENGTH / size for size in voxel_size])
    added = np.zeros(shape, np.float32)
    for name, fraction in fractions.items():
        weights, gains, sign = rng.normal(size=3), rng.normal(0, 0.3, 3), rng.choice([-1.0, 1.0])
        where = np.nonzero(fraction > 0)
        if not len(where[0]) or not spreads[name]:
            continue
        shares = fraction[where]
        values = _standard(np.tensordot(weights.astype(np.float32), [field[where] for field in fields], 1), shares)
        values = values + (LAYERS.get(name, 0) + gains[2]) * _standard(depth[where], shares)
        values = values + _gradient(name, where, shares, gains)
        if image is not None:
            values = _standard(values, shares) + sign * _standard(image[where], shares)
        added[where] += shares * np.float32(spreads[name]) * _standard(values, shares)
    return added


def _gradient(name: str, where: tuple[NDArray[np.intp], ...], shares: Volume, gains: NDArray[np.float64]) -> Volume:
    if name not in GRADIENTS:
        return np.zeros_like(shares)
    x, y = where[0].astype(np.float32), where[1].astype(np.float32)
    from_middle = np.abs(x - np.average(x, weights=shares))
    to_front, to_middle = GRADIENTS[name] + gains[:2]
    return np.float32(to_front) * _standard(y, shares) - np.float32(to_middle) * _standard(from_middle, shares)


def _standard(values: Volume, shares: Volume) -> Volume:
    """Shift and scale values to a mean of 0 and a standard deviation of 1, both weighted by shares of a tissue."""
    shifted = values - np.average(values, weights=shares)
    spread = np.sqrt(np.average(shifted**2, weights=shares))
    return np.asarray(shifted / max(float(spread), 1e-6), dtype=np.float32)
