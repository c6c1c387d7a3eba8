"""What a MONAI Label server passes on, one tensor, and expects, labels on the grid of the image that it was given."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Spacingd, Transform

from ..datasets.volumes import read_volume


class HandOverd(Transform):
    """Hand the file of a result over to a MONAI Label server, with the grid, the affine and the values that it has.

    That server resizes ``pred`` by nearest neighbor to ``spatial_shape`` in the ``meta`` of ``image``, and writes it
    with ``original_affine`` from there, in the type at ``result_dtype``. So ``pred`` becomes the file's content, and
    ``image`` gets its geometry. ``result``, which the server sends along as JSON, becomes ``{"file": path}``.

    Viewers ask for labels, as integers. Values would be cut to them; so who asks for integers gets zeros in their
    place, and has to open the file.

    Args:
        path_key: of the path, as the transforms that save results leave it.
        is_label: whether the file holds labels, which become uint8, and not values.
    """

    def __init__(self, path_key: str = "pred_path", is_label: bool = False) -> None:
        self.path_key = path_key
        self.is_label = is_label

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace ``pred``, and the geometry that ``image`` tells."""
        out = dict(data)
        path = Path(out[self.path_key])
        result = read_volume(path, allow_constant=True)
        asked = out.get("result_dtype")
        if self.is_label:
            result = result.to(torch.uint8)
        elif asked and np.issubdtype(np.dtype(asked), np.integer):
            result = torch.zeros_like(result)
        image: MetaTensor = out["image"].clone()
        image.meta |= {"spatial_shape": np.asarray(result.shape[1:]), "original_affine": result.affine.numpy()}
        out.update(pred=result, image=image, result={"file": str(path)})
        return out


class OwnKeysSpacingd(Spacingd):
    """MONAI's ``Spacingd``, shown nothing but the images at its keys.

    It takes whatever begins like one of its keys for metadata, and fails on the ``image_path`` that a MONAI Label
    server keeps beside ``image``.
    """

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Resample the image at every key."""
        own = {key: data[key] for key in self.key_iterator(dict(data))}
        return {**data, **super().__call__(own, lazy)}


class ConcatInputsd(MapTransform):
    """Make one tensor of all that a network is given: a MONAI Label server passes no more to the inferer.

    Unlike MONAI's ``ConcatItemsd`` it takes masks too, which are plain tensors of one line or column.

    Args:
        keys: of channels; the first, ``(c, *spatial)``, may be complex, and the others are broadcastable to it.
        name: where the channels go, in this order, in the type of the first and with its metadata.
    """

    def __init__(self, keys: KeysCollection, name: str = "image") -> None:
        super().__init__(keys)
        self.name = name

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Concatenate what is at the keys."""
        first, *others = (data[key] for key in self.key_iterator(dict(data)))
        return {**data, self.name: torch.cat([first, *(first.clone().copy_(other) for other in others)])}
