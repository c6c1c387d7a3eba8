"""The volume of all lesions, and the interval in which it lies."""

from __future__ import annotations

import numpy as np

from ...datasets import read_volume
from ...operators import voxel_size_from_affine
from ...transforms.small_lesions import drop_small_lesions
from ..running.prediction import Prediction
from ..running.written_files import LESION_MASK, PROBABILITY, file_of

Interval = tuple[float, float]


def volume_interval(prediction: Prediction) -> Interval | None:
    """Return the ends (ml) of the interval of the lesion volume; None where the bundle has none, or no probability.

    They are the volumes of the masks that the thresholds of `volume_interval` give, without small lesions as in the
    result, and never on one side of the volume of the result itself.
    """
    levels, files = prediction.volume_levels, prediction.files
    path, mask = file_of(files, PROBABILITY), file_of(files, LESION_MASK)
    if levels is None or path is None or mask is None:
        return None
    probability = read_volume(path, allow_nan=True, allow_constant=True, allow_2d=True)
    voxel = float(voxel_size_from_affine(probability.affine.numpy()).prod())
    values = probability[0].numpy()
    lower, upper = (
        float(np.count_nonzero(drop_small_lesions(values >= level, voxel, levels.smallest_lesion))) * voxel / 1000
        for level in (levels.high, levels.low)
    )
    told = np.count_nonzero(read_volume(mask, allow_constant=True, allow_2d=True)[0].numpy()) * voxel / 1000
    return min(lower, told), max(upper, told)


def volume_text(volume: float, interval: Interval | None = None) -> str:
    """Tell a volume (ml), such as ``8.1 ml (6.9 to 9.8)``, without the interval where there is none."""
    return f"{volume:.3g} ml" + ("" if interval is None else f" ({interval[0]:.3g} to {interval[1]:.3g})")
