"""Find the brain in heads with skull that come without a brain mask, or tell that there is a skull."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Orientation

from ..datasets.input_error import InputError
from .brain_network import find_brain, require_deepbet
from .missing_contrasts import present_contrasts
from .skull import shows_skull

logger = logging.getLogger(__name__)

BEST_FIRST = ("T1w", "FLAIR", "T2w")
"""Contrasts in the order in which the brain is looked for."""

PLAUSIBLE = (300.0, 2300.0)  # ml; brains of infants and large heads with all fluid


class ExtractBraind(MapTransform):
    """Make a brain mask by deepbet for heads with skull that have none; of the T1w where there is one.

    The mask, a uint8 MetaTensor ``(1, x, y, z)`` on the image's grid, goes to ``mask_key``, where
    :class:`ApplyBrainMaskd` takes it, and to ``output_key``. Cases with a mask pass unchanged, and so do, with a
    warning, those in which no contrast shows a skull.

    Args:
        keys: of the loaded image ``(n_contrasts, x, y, z)``; masks need a single one.
        contrasts: names of its channels.
        mask_key: of the path of the mask.
        output_key: of the mask that was made.
        device: where the network runs.

    Raises:
        InputError: if deepbet is not installed, or finds no brain; a volume that no brain has is a warning in the log.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"),
        mask_key: str = "mask",
        output_key: str = "brain",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(keys)
        require_deepbet()
        self.contrasts = tuple(contrasts)
        self.mask_key, self.output_key = mask_key, output_key
        self.device = device

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the mask."""
        out = dict(data)
        if out.get(self.mask_key) is not None:
            return out
        image = out[cast(Hashable, self.first_key(out))]
        with_skull = contrasts_with_skull(image, self.contrasts)
        if not with_skull:
            message = "%s: shows a brain without skull already, of which `brain_extraction` makes no mask"
            logger.warning(message, image.meta["filename_or_obj"])
            return out
        chosen = min(with_skull, key=lambda name: (*BEST_FIRST, name).index(name))
        mask = extract_brain(_channel(image, self.contrasts.index(chosen)), self.device)
        mask.meta["filename_or_obj"] = with_skull[chosen]
        out[self.mask_key], out[self.output_key] = mask, mask.clone()
        return out


class WarnOfSkulld(MapTransform):
    """Tell in one line of a head that shows its skull and comes without brain mask; the image passes unchanged.

    Args:
        keys: of loaded images ``(n_contrasts, x, y, z)``.
        contrasts: names of the channels.
        mask_key: of the mask.
    """

    def __init__(
        self, keys: KeysCollection = "image", contrasts: Sequence[str] = ("T1w", "T2w", "FLAIR"), mask_key: str = "mask"
    ) -> None:
        super().__init__(keys)
        self.contrasts = tuple(contrasts)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at the image at every key."""
        out = dict(data)
        if out.get(self.mask_key) is not None:
            return out
        for key in self.key_iterator(out):
            if found := contrasts_with_skull(out[key], self.contrasts):
                others = f" (so do {', '.join(list(found)[1:])})" if len(found) > 1 else ""
                message = "%s: shows the head with its skull%s, and the network was trained on brains alone"
                remedy = "; set `brain_extraction` to true or give `mask`"
                logger.warning(message + remedy, next(iter(found.values())), others)
        return out


def contrasts_with_skull(image: MetaTensor, contrasts: Sequence[str]) -> dict[str, str]:
    """Return the files of those channels of ``(n_contrasts, x, y, z)`` that show a skull, by contrast."""
    place = str(image.meta.get("filename_or_obj", "image"))
    files = str(image.meta.get("sources", "")).split("\n")
    there = present_contrasts(image, contrasts)
    named = dict(zip(there, files, strict=False)) if len(files) == len(there) else {}
    return {
        name: named.get(name, place)
        for number, name in enumerate(contrasts[: len(image)])
        if shows_skull(_channel(image, number))
    }


def extract_brain(image: MetaTensor, device: torch.device | str = "cpu") -> MetaTensor:
    """Find the brain in a head ``(1, x, y, z)`` with skull: a uint8 mask of the same grid, see :func:`find_brain`.

    Raises:
        InputError: if deepbet is not installed, or there is no brain; a volume that no brain has is a warning.
    """
    place = image.meta.get("filename_or_obj", "image")
    turn = Orientation(axcodes="RAS", labels=None)
    turned = cast(MetaTensor, turn(image))
    found = find_brain(turned[0], device)
    if found is None:
        raise InputError.at(place, "no brain was found", "check the image, or give `mask`")
    values = MetaTensor(torch.from_numpy(found)[None].to(torch.uint8), meta=dict(turned.meta))
    values.applied_operations = turned.applied_operations
    back = cast(MetaTensor, turn.inverse(values))
    mask = MetaTensor(back.as_tensor().contiguous(), meta=dict(image.meta))
    mask.affine = image.affine.clone()
    volume = float(found.sum()) * abs(float(torch.linalg.det(image.affine[:3, :3]))) / 1000
    if not PLAUSIBLE[0] <= volume <= PLAUSIBLE[1]:
        message = "%s: the brain that was found has %.0f ml; look at its mask, or give `mask`"
        logger.warning(message, place, volume)
    return mask


def _channel(image: MetaTensor, number: int) -> MetaTensor:
    channel = MetaTensor(image.as_tensor()[number : number + 1], meta=dict(image.meta))
    channel.affine = image.affine
    return channel
