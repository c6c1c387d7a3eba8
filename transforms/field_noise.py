"""Noise of field maps, made where it arises: in the complex signal."""

from __future__ import annotations

import torch
from monai.transforms import RandomizableTransform
from torch import Tensor

from ..operators.field_units import units_per_ppm


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
        self, snr: tuple[float, float] = (20.0, 100.0), b0: float = 3.0, echo_time: float = 0.02, prob: float = 1.0
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


def noise_level(snr: float, b0: float = 3.0, echo_time: float = 0.02) -> float:
    """Tell the standard deviation (ppm) of a field's noise at a high SNR: ``1 / (snr 2 pi gamma b0 echo_time)``."""
    return 1 / (snr * units_per_ppm("rad", b0, echo_time))
