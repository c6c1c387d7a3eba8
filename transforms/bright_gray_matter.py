"""Gray matter that is brighter on FLAIR than it was, and still no lesion."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.networks.layers import GaussianFilter
from monai.transforms import MapTransform, Randomizable, RandomizableTransform
from monai.transforms.smooth_field.array import SmoothField
from monai.utils import convert_to_dst_type
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

BORDER = 5
"""Voxels across in which a lesion's surroundings are left as they are."""
WIDTH = 0.45
"""Of the gray values that are brightened, in standard deviations of the T1w."""
BLUR = (0.3, 1.0)
"""Range of the blur's sigma, in voxels."""
FIELD = (5, 5, 5)
"""Grid of what varies smoothly in space."""


class RandBrightGrayMatterd(RandomizableTransform, MapTransform):
    """Brighten on FLAIR what is as gray on T1w as cortex is, but not lesions and their rims.

    Cortex of insula, cingulum and temporal lobe is as bright as a lesion in some patients and protocols, so that
    brightness does not part the two: where they are does, and their shape. The brightness that is added to z-scored
    images is ``a f exp(-((T1w - c) / w)^2)``, blurred: the amount ``a`` and the gray value ``c`` are drawn, ``w`` is
    0.45, and ``f``, from 0 to 1, varies smoothly in space.

    Args:
        keys: of z-scored images ``(c, x, y, z)``.
        label_key: of the lesions ``(1, x, y, z)``.
        t1w_channel: number of the T1w channel.
        flair_channel: number of the FLAIR channel.
        prob: probability that it is done.
        amount: range of ``a``.
        gray: range of ``c``.
        allow_missing_keys: skip keys that are not there.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        label_key: str = "label",
        t1w_channel: int = 0,
        flair_channel: int = 2,
        prob: float = 0.8,
        amount: tuple[float, float] = (0.2, 1.6),
        gray: tuple[float, float] = (-0.9, 0.3),
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.label_key = label_key
        self.channels = (t1w_channel, flair_channel)
        self.ranges = {"amount": amount, "gray": gray, "sigma": BLUR}
        self.drawn: dict[str, float] = {}
        self.field = SmoothField(FIELD, low=0.0, high=1.0, mode="trilinear", align_corners=True)

    def set_random_state(self, seed: int | None = None, state: Any = None) -> RandBrightGrayMatterd:
        """Seed this and its field."""
        Randomizable.set_random_state(self, seed, state)
        self.field.set_random_state(state=self.R)
        return self

    def randomize(self, data: Any = None) -> None:
        """Draw whether, and how much of what is brightened where."""
        super().randomize(None)
        self.field.R = self.R
        self.drawn = {name: self.R.uniform(*limits) for name, limits in self.ranges.items()}
        self.field.randomize()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Brighten the FLAIR at every key."""
        out = dict(data)
        self.randomize()
        if self._do_transform:
            for key in self.key_iterator(out):
                image, lesions = (out[name].as_subclass(Tensor) for name in (key, self.label_key))
                out[key] = convert_to_dst_type(self.brighten(image, lesions), out[key])[0]
        return out

    def brighten(self, image: Tensor, lesions: Tensor) -> Tensor:
        """Return ``image`` with what was drawn added to its FLAIR, except in ``lesions`` and outside of the brain."""
        t1w, flair = (image[channel] for channel in self.channels)
        near = F.max_pool3d((lesions > 0).float()[None], BORDER, 1, BORDER // 2)[0, 0]
        self.field.set_spatial_size(t1w.shape)
        gray = torch.exp(-(((t1w - self.drawn["gray"]) / WIDTH) ** 2)) * (1 - near) * (t1w != 0)
        added = GaussianFilter(3, self.drawn["sigma"])((gray * self.field()[0].to(gray))[None, None])[0, 0]
        changed = image.clone()
        changed[self.channels[1]] = flair + self.drawn["amount"] * added * (flair != 0) * (lesions[0] <= 0)
        return changed
