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
        self.mask: Tensor = self.drawn.mask

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> UndersampleKspace:
        """Seed this transform; its masks draw from the same state."""
        super().set_random_state(seed, state)
        for mask in self.masks:
            mask.set_random_state(state=self.R)
        return self

    def randomize(self, shape: Sequence[int], support: Sequence[float] | None = None) -> None:
        """Draw which mask, and the mask, for data of ``shape``, of whose k-space ``support`` was measured."""
        self.drawn = self.masks[self.R.randint(len(self.masks))] if len(self.masks) > 1 else self.masks[0]
        sizes = list(shape)
        for axis, share in zip(self.drawn.axes, support or (), strict=support is not None):
            sizes[axis] = max(1, round(share * shape[axis]))
        self.drawn.randomize(sizes)
        self.mask = self.drawn.mask
        for axis in self.drawn.axes:
            if self.mask.shape[axis] == sizes[axis] != shape[axis]:
                self.mask = _padded(self.mask, axis, shape[axis])

    def __call__(self, data: Tensor, randomize: bool = True, support: Sequence[float] | None = None) -> Tensor:
        """Return masked k-space, or its image, of the shape of ``data``.

        Args:
            data: image or k-space.
            randomize: draw a new mask.
            support: share of k-space along each of the mask's axes that was measured at all: the mask is one of this
                part of k-space, and nothing is sampled beyond.
        """
        if self.source == "kspace" and not data.is_complex():
            raise ValueError(f"k-space must be complex, got {data.dtype}")
        if randomize:
            self.randomize(data.shape, support)
        axes, mask = self.drawn.axes, self.mask.to(data.device)
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
        support_key: of the share of k-space that was measured, see :class:`KspaceSupportd`; all where there is none.
        options: see :class:`KeyedTransform`.
    """

    array = UndersampleKspace

    def __init__(
        self,
        keys: KeysCollection,
        mask: KspaceMask | Sequence[KspaceMask],
        output_keys: KeysCollection | None = None,
        mask_key: str = "mask",
        support_key: str = "support",
        **options: Any,
    ) -> None:
        super().__init__(keys, output_keys, mask=mask, **options)
        self.mask_key = mask_key
        self.support_key = support_key

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return the support."""
        return {"support": data.get(self.support_key)}

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


def _padded(mask: Tensor, axis: int, size: int) -> Tensor:
    """Surround a mask of the center of k-space by what is not sampled."""
    sizes = list(mask.shape)
    sizes[axis] = size
    padded = mask.new_zeros(sizes)
    n = mask.shape[axis]
    padded.narrow(axis, size // 2 - n // 2, n).copy_(mask)
    return padded
