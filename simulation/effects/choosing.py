"""The effects by name, and which of them a subject has."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..head import Head
from .bright_cortex import brighten_cortex
from .choroid_plexus import add_choroid_plexus
from .csf_flow import add_csf_flow
from .dirty_white_matter import add_diffuse_change, add_halos, move_raters_border
from .ghosts import add_ghosts
from .loose_mask import loosen_mask
from .misalignment import misalign
from .pineal_gland import add_pineal_gland
from .septum import brighten_septum
from .sharpness import smooth_image, thicken_slices
from .ventricle_rims import add_ventricle_rims
from .vessels import add_bright_vessels, add_perivascular_spaces

Volume = NDArray[np.float32]
Change = TypeVar("Change", bound=Callable[..., object])


class HeadEffect(NamedTuple):
    """What changes tissues or labels.

    Attributes:
        chance: share of the subjects that have it.
        change: from a head, a strength (0 to 1) and a source of randomness to the changed head.
    """

    chance: float
    change: Callable[[Head, float, np.random.Generator], Head]


class ImageEffect(NamedTuple):
    """What changes images.

    Attributes:
        chance: share of the subjects that have it.
        change: from an image ``(x, y, z)``, its voxel size (mm), contrast, a strength (0 to 1) and a source of
            randomness to the changed image.
    """

    chance: float
    change: Callable[[Volume, tuple[float, ...], str, float, np.random.Generator], Volume]


HEAD_EFFECTS: dict[str, HeadEffect] = {
    "halos": HeadEffect(0.8, add_halos),
    "raters_border": HeadEffect(0.8, move_raters_border),
    "diffuse_change": HeadEffect(0.7, add_diffuse_change),
    "ventricle_rims": HeadEffect(0.9, add_ventricle_rims),
    "septum": HeadEffect(0.7, brighten_septum),
    "choroid_plexus": HeadEffect(0.9, add_choroid_plexus),
    "pineal_gland": HeadEffect(0.8, add_pineal_gland),
    "bright_cortex": HeadEffect(0.9, brighten_cortex),
    "csf_flow": HeadEffect(0.7, add_csf_flow),
    "bright_vessels": HeadEffect(0.6, add_bright_vessels),
    "perivascular_spaces": HeadEffect(0.6, add_perivascular_spaces),
    "loose_mask": HeadEffect(0.6, loosen_mask),
}
IMAGE_EFFECTS: dict[str, ImageEffect] = {
    "ghosts": ImageEffect(0.3, add_ghosts),
    "thick_slices": ImageEffect(0.3, thicken_slices),
    "smoothing": ImageEffect(0.6, smooth_image),
    "misalignment": ImageEffect(0.5, misalign),
}
EFFECTS = (*HEAD_EFFECTS, *IMAGE_EFFECTS)


@dataclass(frozen=True)
class Effects:
    """The effects that one subject has.

    Each draws from its own randomness: leaving one out changes nothing in the others.

    Attributes:
        seed: of the subject.
        without: names of effects to leave out.
        misaligned: let half of the subjects have ``misalignment``, which nobody has otherwise.
    """

    seed: tuple[int, ...]
    without: Collection[str] = ()
    misaligned: bool = False

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            ValueError: if there is no effect of a name.
        """
        if unknown := sorted(set(self.without) - set(EFFECTS)):
            raise ValueError(f"no effect {', '.join(unknown)} to leave out; known are {', '.join(EFFECTS)}")

    def on_head(self, head: Head) -> Head:
        """Change tissues and labels."""
        for change, strength, rng in self._drawn(HEAD_EFFECTS):
            head = change(head, strength, rng)
        return head

    def on_image(self, image: Volume, spacing: tuple[float, ...], contrast: str) -> Volume:
        """Change the image ``(x, y, z)`` of a contrast with voxels of a size (mm)."""
        for change, strength, rng in self._drawn(IMAGE_EFFECTS, contrast):
            image = change(image, spacing, contrast, strength, rng)
        return image

    def _drawn(
        self, effects: Mapping[str, tuple[float, Change]], contrast: str = ""
    ) -> Iterator[tuple[Change, float, np.random.Generator]]:
        left_out = {*self.without, *(() if self.misaligned else ("misalignment",))}
        for name, (chance, change) in effects.items():
            subject = np.random.default_rng([*self.seed, zlib.crc32(name.encode())])
            is_there, strength = subject.random() < chance, float(subject.uniform(0.2, 1.0))
            if is_there and name not in left_out:
                own = np.random.default_rng([*self.seed, zlib.crc32(name.encode()), zlib.crc32(contrast.encode())])
                yield change, strength, own
