"""Undersampling of k-space by masks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, get_args

from monai.config import KeysCollection
from monai.transforms import Randomizable, Transform
from monai.utils import ensure_tuple
from numpy.random import RandomState
from torch import Tensor

from ..operators.fourier import image_to_kspace, kspace_to_image
from ..operators.undersampling import undersample_image
from .keyed import OneDrawKeyedTransform
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


class UndersampleKspaced(OneDrawKeyedTransform):
    """Dictionary version of :class:`UndersampleKspace`; one draw serves all keys.

    Args:
        keys: of images or k-space, all of the same shape.
        mask: see :class:`UndersampleKspace`.
        output_keys: where the results go; in place if it is None.
        mask_key: where the mask goes, with the data's sizes along the axes of k-space, so that masks can be batched.
        options: see :class:`KeyedTransform`.
    """

    array = UndersampleKspace

    def __init__(
        self,
        keys: KeysCollection,
        mask: KspaceMask | Sequence[KspaceMask],
        output_keys: KeysCollection | None = None,
        mask_key: str = "mask",
        **options: Any,
    ) -> None:
        super().__init__(keys, output_keys, mask=mask, **options)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Mask what is at every key, and add the mask."""
        out = super().__call__(data)
        if (first := self.first_key(dict(data))) != ():
            out[self.mask_key] = self._expanded_mask(data[first].shape)
        return out

    def _expanded_mask(self, shape: Sequence[int]) -> Tensor:
        mask = self.transform.mask
        sizes = list(mask.shape)
        for axis in self.transform.drawn.axes:
            sizes[axis] = shape[axis]
        return mask.expand(sizes).contiguous()
