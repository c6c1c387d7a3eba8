"""K-space of several coils with their sensitivities, and images that agree with it."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from ..datasets.kspace import Kspace
from ..operators.espirit import compress_coils, espirit_maps
from ..operators.fourier import kspace_to_image
from ..operators.multi_coil import agree_with_coils

logger = logging.getLogger(__name__)

MOST = 10  # virtual coils
LEAST = 0.01  # of the pixels of a slice, that have sensitivities
FAINT = 0.01  # of the power of the strongest slice; slices with less may have none


def calibrated_coils(file: Path, kspace: Kspace) -> tuple[Tensor, Tensor] | None:
    """Return samples and sensitivities of at most ten virtual coils, see :func:`espirit_maps`.

    Returns:
        ``(coil, slice, y, x)`` each; None for one coil and, with a warning, where the center of k-space is not sampled
        completely, or no sensitivities explain it.
    """
    data = torch.from_numpy(kspace.data)
    n_slices, n_coils, h, w = data.shape
    if n_coils == 1:
        return None
    masks = torch.from_numpy(kspace.mask.all(1)).expand(n_slices, h, w)
    samples = [compress_coils(coils * mask, MOST) for coils, mask in zip(data, masks, strict=True)]
    maps = [espirit_maps(coils, mask) for coils, mask in zip(samples, masks, strict=True)]
    found = [part for part in maps if part is not None]
    power = torch.stack([coils.abs().square().sum() for coils in samples])
    has_signal = power > FAINT * power.max()
    if len(found) < n_slices or any(
        _support(part) < LEAST for part, is_in in zip(found, has_signal, strict=True) if is_in
    ):
        message = (
            "%s: its center tells no sensitivities of the coils, so that they are combined before the reconstruction; "
            "sample at least 8 x 8 of its center completely"
        )
        logger.warning(message, file)
        return None
    return torch.stack(samples, 1), torch.stack(found, 1)


def _support(maps: Tensor) -> float:
    return float((maps != 0).any(0).float().mean())


class AgreeWithCoilsd(MapTransform):
    """Make magnitude images agree with the samples of all coils, see :func:`agree_with_coils`.

    The phase is that of the start, and what is out of phase afterwards is taken for error. Where there are no coils,
    images stay as they are.

    Args:
        keys: of images ``(1, slice, y, x)``, in the units of the samples.
        start_key: of the k-space that has the phase, of the same shape.
        coils_key: of the samples ``(coil, slice, y, x)``.
        maps_key: of the sensitivities.
        mask_key: True is sampled.
        noise_key: of the samples.
        is_enabled: leave images as they are otherwise.
    """

    def __init__(
        self,
        keys: KeysCollection,
        start_key: str = "image",
        coils_key: str = "coils",
        maps_key: str = "coil_maps",
        mask_key: str = "sampled",
        noise_key: str = "kspace_noise",
        is_enabled: bool = True,
    ) -> None:
        super().__init__(keys)
        self.start_key, self.mask_key, self.noise_key = start_key, mask_key, noise_key
        self.coils_key, self.maps_key = coils_key, maps_key
        self.is_enabled = is_enabled

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct the image at every key."""
        out = dict(data)
        if not self.is_enabled or self.coils_key not in out:
            return out
        names = (self.start_key, self.coils_key, self.maps_key, self.mask_key, self.noise_key)
        for key in self.key_iterator(out):
            plain = torch.as_tensor(out[key]).as_subclass(Tensor)
            start, coils, maps, mask, noise = (out[name].as_subclass(Tensor).to(plain.device) for name in names)
            phase = kspace_to_image(start).angle()
            agreed = torch.empty_like(plain)
            mask, noise = mask.expand_as(start), noise.expand(1, plain.shape[1], 1, 1)
            for i in range(plain.shape[1]):  # one by one, for memory
                image = torch.polar(plain[:, i], phase[:, i])[:, None]
                parts = (x[:, i][None] for x in (coils, maps, mask))
                found = agree_with_coils(image, *parts, noise[:, i][None])[:, 0]
                agreed[:, i] = (found * torch.polar(torch.ones_like(plain[:, i]), -phase[:, i])).real.clamp_min(0)
            out[key] = out[key].clone().copy_(agreed)
        return out
