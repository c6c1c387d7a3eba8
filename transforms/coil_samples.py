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
from ..operators.coil_maps import low_resolution_coil_maps
from ..operators.espirit import KERNELS, SMALLEST, calibration_size, compress_coils, espirit_maps
from ..operators.fourier import kspace_to_image
from ..operators.kspace_noise import estimate_kspace_noise, relative_distance
from ..operators.multi_coil import agree_with_coils

logger = logging.getLogger(__name__)

MOST = 10  # virtual coils
COVERED = 0.95  # of the pixels with signal, that must have sensitivities
SIGNAL = 0.1  # of the brightest pixel of the combination of low resolution
LOW_RESOLUTION = 12.0  # samples from the center to where the window of this combination has fallen to 1 / e, along y
OUTER = 0.5  # of the way from the center of k-space, from where on samples are outer ones
FAINT = 0.01  # of the power of the strongest slice; those of slices with less are of low resolution, if need be
FEW = 12  # samples along the short side of a center, below which small patches are tried first
REMEDY = "so that coils are combined before the reconstruction"


def calibrated_coils(file: Path, kspace: Kspace) -> tuple[Tensor, Tensor] | None:
    """Return samples and sensitivities of at most ten virtual coils, see :func:`espirit_maps`.

    Returns:
        ``(coil, slice, y, x)`` each; None for one coil and, with a warning, where the center of a slice is not sampled
        completely, or no sensitivities explain it in all of the head.
    """
    data = torch.from_numpy(kspace.data)
    n_slices, n_coils, h, w = data.shape
    if n_coils == 1:
        return None
    masks = torch.from_numpy(kspace.mask.all(1)).expand(n_slices, h, w)
    if gaps := [i for i, mask in enumerate(masks) if calibration_size(mask) is None]:
        message = "%s: the center of slice %d has less than %d x %d samples without gaps, %s; sample more of it"
        logger.warning(message, file, gaps[0], SMALLEST, SMALLEST, REMEDY)
        return None
    samples = [compress_coils(coils * mask, MOST) for coils, mask in zip(data, masks, strict=True)]
    noise = float(estimate_kspace_noise(torch.stack(samples), masks[:, None]))
    power = torch.stack([coils.abs().double().square().sum() for coils in samples])
    maps = []
    for i, (coils, mask) in enumerate(zip(samples, masks, strict=True)):
        found = _maps_of_the_head(coils, mask, noise)
        if found is None and power[i] > FAINT * power.max():
            message = (
                "%s: no sensitivities explain the center of slice %d in all of the head, %s; sample more of it, or "
                "leave out coil %d if it is faulty, as its outer samples are the strongest"
            )
            logger.warning(message, file, i, REMEDY, _noisiest(data[i]))
            return None
        maps.append(low_resolution_coil_maps(coils, coil_axis=0) if found is None else found)
    return torch.stack(samples, 1), torch.stack(maps, 1)


def _maps_of_the_head(samples: Tensor, mask: Tensor, noise: float) -> Tensor | None:
    """Return sensitivities of the head, None where no size of patches gives them in nearly all of it.

    Where they are missing within the head, they are those of low resolution.
    """
    size = calibration_size(mask)
    is_small = size is not None and min(size) < FEW
    head = _head(samples)
    for kernel in sorted(KERNELS, reverse=not is_small):
        found = espirit_maps(samples, mask, noise, kernel)
        if found is not None and float((found != 0).any(0)[head].float().mean()) >= COVERED:
            low = low_resolution_coil_maps(samples, coil_axis=0)
            low = low * torch.polar(torch.ones_like(low[0].real), -low[0].angle())  # as of ESPIRiT
            return torch.where(head & (found == 0).all(0), low, found)
    return None


def _head(samples: Tensor) -> Tensor:
    """Return where an image of low resolution has signal."""
    h, w = samples.shape[-2:]
    window = torch.exp(-((relative_distance(h, w) * h / 2 / LOW_RESOLUTION) ** 2))
    image = torch.linalg.vector_norm(kspace_to_image(samples * window), dim=0)
    return image > SIGNAL * image.max()


def _noisiest(coils: Tensor) -> int:
    """Return the coil whose outer samples are the strongest, by all that it has."""
    outer = coils * (relative_distance(coils.shape[-2], coils.shape[-1]) > OUTER)
    shares = [torch.linalg.vector_norm(x.flatten(1), dim=1) for x in (outer, coils)]
    return int((shares[0] / shares[1].clamp_min(torch.finfo(shares[1].dtype).tiny)).argmax())


class AgreeWithCoilsd(MapTransform):
    """Make magnitude images agree with the samples of all coils, see :func:`agree_with_coils`.

    The phase is that of the start, made to agree itself where it is zero-filled, and what is out of phase afterwards is
    taken for error. Where there are no coils, images stay as they are.

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
            start, mask = start[:1], mask[:1]  # what else a server passes in one tensor
            agreed = torch.empty_like(plain)
            mask, noise = mask.expand_as(start), noise.expand(1, plain.shape[1], 1, 1)
            is_aliased = not (start * ~mask).any()
            for i in range(plain.shape[1]):  # one by one, for memory
                parts = [x[:, i][None] for x in (coils, maps, mask, noise)]
                begin = kspace_to_image(start[:, i])[:, None]
                turn = _phase_factor(agree_with_coils(begin, *parts) if is_aliased else begin)
                found = agree_with_coils(plain[:, i][:, None] * turn, *parts)
                agreed[:, i] = (found * turn.conj()).real.clamp_min(0)[:, 0]
            out[key] = out[key].clone().copy_(agreed)
        return out


def _phase_factor(image: Tensor) -> Tensor:
    return torch.polar(torch.ones_like(image.real), image.angle())
