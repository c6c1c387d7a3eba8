"""Weights of other implementations, for the networks of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .attention import ATTENTION_ORIGINALS
from .brain_super_resolution import BRAIN_SUPER_RESOLUTION_ORIGINALS
from .original import ConvertedWeights, convert
from .reconstruction import RECONSTRUCTION_ORIGINALS
from .super_resolution import SUPER_RESOLUTION_ORIGINALS

ORIGINALS = (
    ATTENTION_ORIGINALS | SUPER_RESOLUTION_ORIGINALS | RECONSTRUCTION_ORIGINALS | BRAIN_SUPER_RESOLUTION_ORIGINALS
)
"""Implementations whose weights can be converted, by the word that names them on the command line."""


def convert_state_dict(original: str, state_dict: Mapping[str, Any]) -> ConvertedWeights:
    """Convert weights of another implementation, and infer the network's arguments from their shapes.

    What shapes do not tell is taken as the original's default:

    - ``mode`` of a non-local block with theta and phi is ``"embedded_gaussian"``, of an attention gate
      ``"concatenation"``;
    - ``residual_scale`` of EDSR is 1 at a width of 64, as in its released baselines, and 0.1 otherwise;
    - ``scale`` of McMRSR is 4 unless ``conv_third`` is missing, which its code saves but does not use at scale 2;
    - cross-scale attention has CSNLN's options at scale 2; SRCNN3D and ReCNN get volumes that are interpolated already;
    - dilations of a DRDN are 1, 2, 3, 3 if there are four, as its authors train it, and else the first of 1, 2, 4, 4.

    Tensors that the original saves and never uses are dropped.

    Args:
        original: a word of ``ORIGINALS``.
        state_dict: the original's tensors by name, or a dict that holds them under ``state_dict``; a
            ``module.`` before all names is dropped.

    Raises:
        ValueError: if ``original`` is unknown, ``state_dict`` does not hold tensors by name, one of them is
            missing or unexpected, or has an unexpected shape.
    """
    if original not in ORIGINALS:
        raise ValueError(f"unknown original {original!r}, known are: {', '.join(ORIGINALS)}")
    return convert(original, ORIGINALS[original], state_dict)
