"""Fields where they are not known, from around."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

N_SWEEPS = 50  # enough for holes of ten voxels


def fill_harmonically(field: Tensor, known: Tensor, mask: Tensor, voxel_size: Sequence[float]) -> Tensor:
    """Give voxels of a mask where a field is not known the value that makes it harmonic there.

    Each becomes the mean of its neighbors in the mask, weighted by ``1 / size^2`` of their axis, which is Laplace's
    equation: the field of sources that lie elsewhere obeys it. Jacobi's iterations begin with the nearest known value.

    Args:
        field: ``(x, y, z)``.
        known: where its values count, of the same shape.
        mask: of the same shape.
        voxel_size: mm.

    Returns:
        The field, as it was where it is known and outside of the mask.
    """
    unknown = mask.bool() & ~known.bool()
    if not unknown.any() or not (known.bool() & mask.bool()).any():
        return field
    nearest = ndimage.distance_transform_edt(
        ~(known.bool() & mask.bool()).numpy(), sampling=voxel_size, return_distances=False, return_indices=True
    )
    start = torch.where(unknown, field[tuple(torch.from_numpy(axis).long() for axis in nearest)], field)
    values, inside = F.pad(start, [1] * 6).flatten(), F.pad(mask.to(field.dtype), [1] * 6).flatten()
    places = F.pad(unknown, [1] * 6).flatten().nonzero()[:, 0]
    _, n_y, n_z = (n + 2 for n in field.shape)
    steps = torch.tensor([n_y * n_z, -n_y * n_z, n_z, -n_z, 1, -1])[:, None]
    by_axis = torch.tensor([1 / size**2 for size in voxel_size for _ in range(2)], dtype=field.dtype)
    weights = inside[places + steps] * by_axis[:, None]
    weights = weights / weights.sum(0).clamp(min=torch.finfo(field.dtype).tiny)
    has_neighbors = weights.sum(0) > 0
    for _ in range(N_SWEEPS):
        means = (weights * values[places + steps]).sum(0)
        values[places] = torch.where(has_neighbors, means, values[places])
    return values.view(*(n + 2 for n in field.shape))[1:-1, 1:-1, 1:-1].contiguous()
