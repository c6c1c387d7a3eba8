"""Relaxation times and proton densities of the head's tissues at 3 T.

Sources: [1] Wansapura et al. 1999, J Magn Reson Imaging 9:531 (white and gray matter); [2] Gelman et al. 2001, Magn
Reson Med 45:71 (T1 of deep gray nuclei); [3] Stanisz et al. 2005, Magn Reson Med 54:507 (gray matter, muscle, blood);
[4] de Bazelaire et al. 2004, Radiology 230:652 (fat, marrow); [5] Lin et al. 2001, ISMRM 9:1391 and Spijkerman et al.
2018, MAGMA 31:415 (cerebrospinal fluid); proton densities after Tofts (ed.) 2003, Quantitative MRI of the Brain, ch. 4.
T2 of the nuclei is shortened by iron, T2* is taken as about 0.6 to 0.7 T2. A chronic lesion's times vary widely; the
value here is the far end (a "black hole"), which the simulator mixes with white matter in shares from a third to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]


class Tissue(NamedTuple):
    """What the signal equations need: proton density (water = 1), T1, T2, T2* (s)."""

    proton_density: float
    t1: float
    t2: float
    t2_star: float


TISSUES: dict[str, Tissue] = {
    "white_matter": Tissue(0.70, 0.84, 0.077, 0.050),  # [1]
    "gray_matter": Tissue(0.82, 1.40, 0.099, 0.062),  # [1-3]
    "thalamus": Tissue(0.77, 1.22, 0.082, 0.050),  # [2]
    "caudate": Tissue(0.81, 1.48, 0.085, 0.050),  # [2]
    "putamen": Tissue(0.80, 1.34, 0.078, 0.044),  # [2]
    "pallidum": Tissue(0.73, 1.04, 0.058, 0.030),  # [2]
    "csf": Tissue(1.00, 4.16, 1.800, 1.000),  # [5]
    "lesion": Tissue(0.88, 1.80, 0.200, 0.130),
    "vessel": Tissue(0.80, 1.93, 0.050, 0.030),  # [3], slow venous blood; arteries flow away and are dark
    "muscle": Tissue(0.75, 1.41, 0.050, 0.030),  # [3]
    "fat": Tissue(0.90, 0.38, 0.068, 0.040),  # [4]
    "marrow": Tissue(0.70, 0.59, 0.049, 0.030),  # [4]
    "bone": Tissue(0.05, 0.50, 0.001, 0.0005),
}
BRAIN_TISSUES = ("white_matter", "gray_matter", "thalamus", "caudate", "putamen", "pallidum", "csf", "vessel")

NON_LESIONS: dict[str, Tissue] = {
    "choroid_plexus": Tissue(0.87, 1.70, 0.170, 0.080),
    "bright_gray_matter": Tissue(0.83, 1.45, 0.140, 0.080),
    "fresh_fluid": Tissue(1.00, 1.20, 1.800, 1.000),
    "slow_blood": Tissue(0.85, 1.60, 0.180, 0.050),
    "meninges": Tissue(0.80, 1.20, 0.110, 0.040),
}
"""What is bright on FLAIR beside lesions. Times are chosen for the brightness that real images show; ``fresh_fluid``
is that of inflow, which the inversion pulse met in part: its T1 is an effective one."""

STANDS_FOR = {
    "choroid_plexus": "gray_matter",
    "bright_gray_matter": "gray_matter",
    "fresh_fluid": "csf",
    "slow_blood": "vessel",
    "meninges": "muscle",
}
"""The tissue of :data:`TISSUES` that each of :data:`NON_LESIONS` counts as, in label maps and for susceptibility."""


def plain_tissues(fractions: Mapping[str, Volume]) -> dict[str, Volume]:
    """Count fractions ``(x, y, z)`` of :data:`NON_LESIONS` as the tissues that they stand for."""
    plain = {name: fraction for name, fraction in fractions.items() if name not in STANDS_FOR}
    for name, tissue in STANDS_FOR.items():
        if name in fractions:
            plain[tissue] = plain[tissue] + fractions[name] if tissue in plain else fractions[name]
    return plain
