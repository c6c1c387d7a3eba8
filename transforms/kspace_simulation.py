"""Undersampled k-space simulated from magnitude images."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable
from numpy.random import RandomState
from torch import Tensor

from ..operators.fourier import image_to_kspace
from .keyed import matching_keys
from .masks import KspaceMask
from .rician_noise import RicianNoise
from .smooth_phase import RandSmoothPhase
from .undersampling import UndersampleKspace


class SimulateKspaced(Randomizable, MapTransform):
    """Simulate the undersampled k-space that would give an image: phase, noise, Fourier transform, mask.

    This is a simulation: the phase of a magnitude image is lost, coils are left out. The image at a key becomes
    complex, with that phase and without the noise. Cases that have measured k-space are passed on as they are.

    Args:
        keys: of magnitude images ``(1, *, y, x)``, one of them only.
        mask: what is sampled; of several, one is drawn each time.
        phase: given to the image; none where it is None.
        noise: added to the complex image before masking; none where it is None.
        output_keys: where the masked k-space goes, complex.
        mask_key: where the mask goes, bool, ``(1, ..., y, x)``.
        seed: the same phase, noise and mask for a file each time, whatever was drawn before, for evaluation; the
            random state goes on from case to case where it is None, for training.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask: KspaceMask | Sequence[KspaceMask],
        phase: RandSmoothPhase | None = None,
        noise: RicianNoise | None = None,
        output_keys: KeysCollection = "image",
        mask_key: str = "sampled",
        seed: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.undersample = UndersampleKspace(mask, source="kspace")
        self.phase = phase or RandSmoothPhase(prob=0.0)
        self.noise = noise or RicianNoise(0.0)
        self.mask_key = mask_key
        self.seed = seed

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> SimulateKspaced:
        """Seed this transform and those that it calls, all from one state."""
        super().set_random_state(seed, state)
        for transform in (self.phase, self.noise, self.undersample):
            transform.set_random_state(state=self.R)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Simulate the k-space of what is at every key."""
        out = dict(data)
        for key, output_key in self.key_iterator(out, self.output_keys):
            if output_key in out:
                continue
            magnitude = out[key]
            if self.seed is not None:
                self.set_random_state(_seed_of(magnitude, self.seed))
            image = self.phase(magnitude)
            out[key] = image
            out[output_key] = self.undersample(image_to_kspace(self.noise(image)))
            out[self.mask_key] = _expanded(self.undersample.mask, image)
        return out


def _expanded(mask: Tensor, image: Tensor) -> Tensor:
    """Repeat a mask of columns along y, so that all masks of a batch have one shape."""
    return mask.expand(*mask.shape[:-2], *image.shape[-2:]).contiguous()


def _seed_of(image: Tensor, seed: int) -> int:
    """Mix ``seed`` with the name of the image's file, so that cases differ, in any order of them."""
    name = Path(str(image.meta.get("filename_or_obj", ""))).name if isinstance(image, MetaTensor) else ""
    return zlib.crc32(f"{seed} {name}".encode())
