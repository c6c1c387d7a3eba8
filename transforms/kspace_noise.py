"""The noise of k-space, given, known from its simulation, or estimated."""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from ..datasets.input_error import InputError
from ..operators.kspace_noise import estimate_kspace_noise, strongest_kspace_noise

logger = logging.getLogger(__name__)

ESTIMATED = "estimated"
PLACE = "`kspace_noise`"
TOO_STRONG = 2.0  # times what outer samples have


class KspaceNoised(MapTransform):
    """Tell the standard deviation of the noise in masked k-space ``(1, slice, y, x)``, for each slice.

    Args:
        keys: of k-space.
        noise: of the real and of the imaginary part of samples, in their units; ``"estimated"`` to have it estimated
            by :func:`~mri_attention.operators.estimate_kspace_noise` from all slices together, which one line of the
            log tells; None to have it estimated unless it is there already, as it is of simulated noise.
        mask_key: True where there are samples.
        noise_key: where it goes, ``(1, slice, 1, 1)``.
        coils_key: of the samples of coils ``(coil, slice, y, x)``, from which it is estimated where they are there.

    Raises:
        InputError: if ``noise`` is another word, negative or not finite; when called, if it is more than twice what
            outer samples have in all, so that it cannot be theirs.
    """

    def __init__(
        self,
        keys: KeysCollection,
        noise: float | str | None = None,
        mask_key: str = "sampled",
        noise_key: str = "kspace_noise",
        coils_key: str = "coils",
    ) -> None:
        super().__init__(keys)
        is_number = isinstance(noise, int | float) and not isinstance(noise, bool)
        if not (noise is None or noise == ESTIMATED or (is_number and 0 <= float(noise) < math.inf)):
            raise InputError.at(PLACE, f"{noise!r} is no noise", f"give a number from 0 on, {ESTIMATED}, or null")
        self.noise = noise
        self.mask_key = mask_key
        self.noise_key = noise_key
        self.coils_key = coils_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the noise of what is at the first key."""
        out = dict(data)
        if self.noise is None and self.noise_key in out:
            return out
        kspace = out[self.first_key(out)]
        samples = out.get(self.coils_key, kspace)
        if self.noise is None or isinstance(self.noise, str):
            noise = float(estimate_kspace_noise(samples, out[self.mask_key]))
            logger.info("noise of k-space, estimated from outer samples: %.3g", noise)
        else:
            noise = float(self.noise)
            most = float(strongest_kspace_noise(samples, out[self.mask_key]))
            if noise > TOO_STRONG * most:
                problem = f"{noise:.3g}, where the outer samples of k-space have a standard deviation of {most:.3g}"
                raise InputError.at(PLACE, problem, f"give it in the unit of the samples, or {ESTIMATED}")
        out[self.noise_key] = torch.full((1, kspace.shape[1], 1, 1), noise)
        return out
