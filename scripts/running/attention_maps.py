"""What folded attention attends to in one case, taken from a bundle's built configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...operators import voxel_size_from_affine

if TYPE_CHECKING:
    from .configuration import Configuration

BLOCK = "FoldedAttention"  # by name: an exported bundle brings the class itself


@dataclass(frozen=True)
class AttentionMaps:
    """Folded attention at one voxel of one case.

    Attributes:
        affinities: matrix ``(n, n)`` of each axis: h, w, d, c.
        gamma: weight of the attention's result beside its input; None without residual.
        image: last image of the network's input, ``(x, y, z)``.
        voxel: where the query is, in voxels of ``image``.
        map: weight of every place for this query, on the grid of ``image``, sum over the features' grid one.
        voxel_size: of ``image`` (mm).
    """

    affinities: dict[str, NDArray[np.float32]]
    gamma: float | None
    image: NDArray[np.float32]
    voxel: tuple[int, ...]
    map: NDArray[np.float32]
    voxel_size: tuple[float, ...]


def attention_maps(configuration: Configuration) -> AttentionMaps | None:
    """Show the network the first case in one pass; None if it has no ``FoldedAttention`` for volumes.

    The query is the voxel of highest lesion probability.
    """
    network = configuration.value("network")
    block = next((m for m in network.modules() if type(m).__name__ == BLOCK and len(m.axes) == 4), None)
    if block is None:
        return None
    item: dict[str, Any] = configuration.value("dataset")[0]
    device = next(network.parameters()).device
    image = torch.as_tensor(item["image"])[None].float().to(device)
    features: list[Tensor] = []
    hook = block.register_forward_hook(lambda _, inputs, __: features.append(inputs[0]))
    network.eval()
    with torch.no_grad():
        probability = network(image).softmax(1)[0, 1:].sum(0)
        hook.remove()
        weights = {name: w[0].float().cpu().numpy() for name, w in block.attention_weights(features[0]).items()}
    shape = image.shape[2:]
    voxel = tuple(int(i) for i in np.unravel_index(int(probability.argmax()), shape))
    affine = np.asarray(getattr(item["image"], "affine", torch.eye(4)))
    return AttentionMaps(
        weights,
        None if block.gamma is None else float(block.gamma),
        image[0, -1].cpu().numpy(),
        voxel,
        rank_one_map(weights, voxel, shape),
        tuple(voxel_size_from_affine(affine).tolist()),
    )


def rank_one_map(
    affinities: dict[str, NDArray[np.float32]], voxel: Sequence[int], shape: Sequence[int]
) -> NDArray[np.float32]:
    """Weights of all places for the query at ``voxel``: Eq. 8 of Zhang et al. (AAAI 2021), for any channel.

    ``A_h[i] x A_w[j] x A_d[k]``, where i, j, k is the place of the voxel on the features' grid; brought to ``shape`` by
    repeating values.
    """
    rows, places = [], []
    for name, position, size in zip("hwd", voxel, shape, strict=True):
        n = len(affinities[name])
        rows.append(affinities[name][position * n // size])
        places.append(np.arange(size) * n // size)
    return np.einsum("i,j,k->ijk", *(row[place] for row, place in zip(rows, places, strict=True)))
