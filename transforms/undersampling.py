"""Undersampling of k-space by masks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, get_args

from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable, Transform
from monai.utils import ensure_tuple
from numpy.random import RandomState
from torch import Tensor

from ..operators.fourier import image_to_kspace, kspace_to_image
from ..operators.undersampling import undersample_image
from .delegated_randomness import DelegatedRandomness
from .keyed import matching_keys
from .masks import KspaceMask

Domain = Literal["image", "kspace"]


class UndersampleKspace(Randomizable, Transform):
    """Set samples of k-space to zero that a random mask does not have.

    Args:
        mask: draws the mask; of several, one is drawn each time.
        source: what comes in, complex ``"image"`` or centered orthonormal ``"kspace"``.
        target: what goes out, masked ``"kspace"`` or the zero-filled ``"image"``, both complex. From image to image,
            only the axes along which the mask varies are transformed, see :func:`undersample_image`.

    Attributes:
        mask: what was drawn last, True is sampled, broadcastable.
        sampled_fraction: share of True in it.

    Raises:
        ValueError: for an unknown ``source`` or ``target``, or no mask at all; when called, for data of real numbers
            as k-space.
    """

    def __init__(
        self, mask: KspaceMask | Sequence[KspaceMask], source: Domain = "image", target: Domain = "kspace"
    ) -> None:
        self.masks: tuple[KspaceMask, ...] = ensure_tuple(mask)
        if not self.masks:
            raise ValueError("mask must be at least one, got none")
        for name, domain in (("source", source), ("target", target)):
            if domain not in get_args(Domain):
                raise ValueError(f"{name} must be one of {', '.join(get_args(Domain))}, got {domain}")
        self.source, self.target = source, target
        self.drawn = self.masks[0]

    @property
    def mask(self) -> Tensor:
        """What was drawn last."""
        return self.drawn.mask

    @property
    def sampled_fraction(self) -> float:
        """Share of True in the mask."""
        return self.drawn.sampled_fraction

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> UndersampleKspace:
        """Seed this transform; its masks draw from the same state."""
        super().set_random_state(seed, state)
        for mask in self.masks:
            mask.set_random_state(state=self.R)
        return self

    def randomize(self, shape: Sequence[int]) -> None:
        """Draw which mask, and the mask, for data of ``shape``."""
        self.drawn = self.masks[self.R.randint(len(self.masks))] if len(self.masks) > 1 else self.masks[0]
        self.drawn.randomize(shape)

    def __call__(self, data: Tensor, randomize: bool = True) -> Tensor:
        """Return masked k-space, or its image, of the shape of ``data``."""
        if self.source == "kspace" and not data.is_complex():
            raise ValueError(f"k-space must be complex, got {data.dtype}")
        if randomize:
            self.randomize(data.shape)
        axes, mask = self.drawn.axes, self.drawn.mask.to(data.device)
        if self.source == self.target == "image":
            return undersample_image(data, mask, axes)
        kspace = (data if self.source == "kspace" else image_to_kspace(data, axes)) * mask
        return kspace if self.target == "kspace" else kspace_to_image(kspace, axes)


class UndersampleKspaced(DelegatedRandomness, MapTransform):
    """Dictionary version of :class:`UndersampleKspace`; one draw serves all keys.

    Args:
        keys: of images or k-space, all of the same shape.
        mask: see :class:`UndersampleKspace`.
        output_keys: where the results go; in place if it is None.
        mask_key: where the mask goes.
        fraction_key: where the sampled fraction goes.
        allow_missing_keys: skip keys that are not there.
        options: further arguments of :class:`UndersampleKspace`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask: KspaceMask | Sequence[KspaceMask],
        output_keys: KeysCollection | None = None,
        mask_key: str = "mask",
        fraction_key: str = "sampled_fraction",
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.mask_key, self.fraction_key = mask_key, fraction_key
        self.transform = UndersampleKspace(mask, **options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Mask what is at every key, and add the mask."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        self.transform.randomize(out[first].shape)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key], randomize=False)
        out[self.mask_key], out[self.fraction_key] = self.transform.mask, self.transform.sampled_fraction
        return out
