"""Noise of field maps, made where it arises: in the complex signal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from torch import Tensor

from ..operators.field_units import units_per_ppm
from .delegated_randomness import DelegatedRandomness


class RandFieldNoise(RandomizableTransform):
    """Add to a field (ppm) the error that complex noise of the signal makes in its phase.

    ``b + angle(m + n exp(-i phi)) / (2 pi gamma b0 echo_time)``, with complex Gaussian noise n of standard deviation
    1 / SNR in each part and the magnitude m, 1 where the signal is full. As the phase phi turns the noise but not its
    distribution, it is left out; so phase never wraps, as if unwrapping had worked, and only an error beyond pi folds.

    Args:
        snr: range of the signal-to-noise ratio at full magnitude.
        b0: T.
        echo_time: s.
        prob: how often there is noise.

    Raises:
        ValueError: if a ratio is not positive or the range is reversed, or ``b0`` or ``echo_time`` is not positive.
    """

    def __init__(
        self,
        snr: tuple[float, float] = (20.0, 100.0),
        b0: float = 3.0,
        echo_time: float = 0.02,
        prob: float = 1.0,
    ) -> None:
        RandomizableTransform.__init__(self, prob)
        if not 0 < snr[0] <= snr[1]:
            raise ValueError(f"snr must be a range of positive numbers, got {tuple(snr)}")
        self.snr = snr
        self.rad_per_ppm = units_per_ppm("rad", b0, echo_time)
        self.noise: Tensor | None = None

    def randomize(self, data: Tensor) -> None:
        """Draw whether there is noise, its level and its values, for a field like ``data``."""
        super().randomize(None)
        if not self._do_transform:
            return
        values = self.R.normal(0, 1 / self.R.uniform(*self.snr), (*data.shape, 2))
        self.noise = torch.view_as_complex(torch.from_numpy(values))

    def __call__(self, field: Tensor, magnitude: Tensor | None = None, randomize: bool = True) -> Tensor:
        """Return a noisy field; voxels of zero field or magnitude, outside of the head, stay zero.

        Args:
            field: ppm, ``(c, x, y, z)``.
            magnitude: of the signal, of the same shape, at most 1; 1 everywhere if it is None.
            randomize: draw anew.
        """
        if randomize:
            self.randomize(field)
        if not self._do_transform or self.noise is None:
            return field
        noise = self.noise.to(field.device)
        signal = torch.ones_like(field) if magnitude is None else magnitude
        error = (signal + noise).angle().to(field.dtype) / self.rad_per_ppm
        return field + error * (field != 0) * (signal > 0)


class RandFieldNoised(DelegatedRandomness, MapTransform):
    """Dictionary version of :class:`RandFieldNoise`; all keys get the same noise.

    Args:
        keys: of fields.
        magnitude_key: of the magnitude, used where the data have it.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :class:`RandFieldNoise`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        magnitude_key: str = "magnitude",
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.magnitude_key = magnitude_key
        self.transform = RandFieldNoise(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add noise to the field at every key."""
        out = dict(data)
        if (first := self.first_key(out)) == ():
            return out
        self.transform.randomize(out[first])
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key], out.get(self.magnitude_key), randomize=False)
        return out


def noise_level(snr: float, b0: float = 3.0, echo_time: float = 0.02) -> float:
    """Tell the standard deviation (ppm) of a field's noise at a high SNR: ``1 / (snr 2 pi gamma b0 echo_time)``."""
    return 1 / (snr * units_per_ppm("rad", b0, echo_time))
