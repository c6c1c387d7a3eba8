"""Noise of MR images: white and complex, so that magnitudes are Rician."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import torch
from monai.config import KeysCollection
from monai.transforms import Randomizable, Transform
from torch import Tensor

from ..operators.fourier import AXES, kspace_to_image
from .keyed import RandomKeyedTransform


class RicianNoise(Randomizable, Transform):
    """Add complex white noise to a complex image, or to its k-space.

    Real and imaginary part have the standard deviation ``level * mean(|x|)``, with the mean over the whole image, air
    included; in k-space it is the same, as the orthonormal Fourier transform is unitary. The magnitude is then Rician
    (Gudbjartsson and Patz 1995, doi:10.1002/mrm.1910340618). Feng et al. (MANet) write of "Rician noise" whose "power"
    is 10 % of the mean intensity, added to k-space before undersampling; power is read here as standard deviation.

    Args:
        level: share of the mean magnitude, or a range to draw from.
        source: ``"image"`` or ``"kspace"``.
        axes: of k-space.

    Attributes:
        deviation: standard deviation of both parts of what was added last.

    Raises:
        ValueError: if a level is negative or the range is reversed; when called, for k-space of real numbers.
    """

    def __init__(
        self,
        level: float | tuple[float, float] = 0.1,
        source: Literal["image", "kspace"] = "image",
        axes: Sequence[int] = AXES,
    ) -> None:
        self.level: tuple[float, float] = (level, level) if isinstance(level, float | int) else (level[0], level[1])
        if not 0 <= self.level[0] <= self.level[1]:
            raise ValueError(f"level must be a number or range of numbers from 0 on, got {level}")
        self.source = source
        self.axes = tuple(axes)
        self.noise: Tensor = torch.zeros(())
        self.drawn_level = self.deviation = 0.0

    def randomize(self, data: Tensor) -> None:
        """Draw the level and the noise for data like ``data``, in units of the mean magnitude."""
        self.drawn_level = self.R.uniform(*self.level)
        noise = self.R.standard_normal((*data.shape, 2)) * self.drawn_level
        self.noise = torch.view_as_complex(torch.from_numpy(noise))

    def __call__(self, data: Tensor, randomize: bool = True) -> Tensor:
        """Return a complex tensor of the same shape."""
        if self.source == "kspace" and not data.is_complex():
            raise ValueError(f"k-space must be complex, got {data.dtype}")
        if randomize:
            self.randomize(data)
        image = kspace_to_image(data, self.axes) if self.source == "kspace" else data
        dtype = torch.complex128 if data.dtype in (torch.float64, torch.complex128) else torch.complex64
        mean = image.abs().mean()
        self.deviation = self.drawn_level * float(mean)
        return data + self.noise.to(data.device, dtype) * mean


class RicianNoised(RandomKeyedTransform):
    """Dictionary version of :class:`RicianNoise`; every key gets noise of its own.

    Args:
        keys: of images or k-space ``(c, *spatial)``.
        output_keys: where the results go; in place if it is None.
        noise_key: where the standard deviation of the last one's real and imaginary part goes, for each index of the
            first spatial axis, such as for each slice, ``(1, n, 1, ...)``; nowhere where it is None.
        options: see :class:`KeyedTransform` and :class:`RicianNoise`.
    """

    array = RicianNoise

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        noise_key: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(keys, output_keys, **options)
        self.noise_key = noise_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add noise at every key."""
        out = super().__call__(data)
        if self.noise_key is not None and (first := self.first_key(dict(data))) != ():
            shape = out[first].shape
            out[self.noise_key] = torch.full((1, shape[1], *[1] * (len(shape) - 2)), self.transform.deviation)
        return out
