"""Interpolation in a network's place, and before networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...operators.resampling import resample_cubic, resample_deconvolved, resample_spline
from ...operators.scripted_resampling import resample_scripted

Method = Literal["linear", "cubic", "spline", "deconvolved"]
METHODS = get_args(Method)
CUBIC = {"cubic": resample_cubic, "spline": resample_spline, "deconvolved": resample_deconvolved}


class Interpolation(nn.Module):
    """Magnify an image, outer voxel edges kept. It has no parameters.

    Args:
        scale: number of voxels that one becomes along all axes, or along each; 1 leaves an axis as it is.
        method: ``"linear"``; ``"cubic"`` convolution; the cubic ``"spline"`` of scipy, as in the literature; or
            ``"deconvolved"``, what undoes the literature's blur at best by linear means.
        grid: what both grids share, their outer ``"edges"``, or the center of their ``"first_voxel"``, as under
            truncation of k-space, which ``"cubic"`` alone knows.

    Raises:
        ValueError: if ``scale`` is below one, or ``method`` or ``grid`` is unknown; when called, if there is not one
            scale for each axis.
    """

    def __init__(
        self, scale: int | Sequence[int] = 2, method: Method = "spline", grid: Literal["edges", "first_voxel"] = "edges"
    ) -> None:
        super().__init__()
        if grid not in ("edges", "first_voxel") or (grid == "first_voxel" and method != "cubic"):
            raise ValueError(f'grid must be "edges", or "first_voxel" for method "cubic", got {grid!r} for {method!r}')
        factors = [scale] if isinstance(scale, int) else list(scale)
        if min(factors) < 1:
            raise ValueError(f"scale must not be below 1, got {scale}")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        self.scale = scale if isinstance(scale, int) else tuple(scale)
        self.factors = factors
        self.method = method
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, c, *spatial)``, 2D or 3D, to ``(b, c, *(scale * spatial))``."""
        n_axes = x.ndim - 2
        factors = self.factors * n_axes if len(self.factors) == 1 else self.factors
        if len(factors) != n_axes:
            raise ValueError(f"scale must be one number, or {n_axes}, got {factors}")
        if max(factors) == 1:
            return x
        size: list[int] = []
        for axis in range(n_axes):
            size.append(factors[axis] * x.shape[2 + axis])
        if self.method == "linear":
            return F.interpolate(x, size, mode="bilinear" if len(size) == 2 else "trilinear")
        if torch.jit.is_scripting():
            return resample_scripted(x, size, self.method, is_first_voxel=self.grid == "first_voxel")
        else:  # noqa: RET505 (TorchScript leaves this out)
            return self._resample(x, size)

    @torch.jit.unused
    def _resample(self, x: Tensor, size: list[int]) -> Tensor:
        if self.grid == "first_voxel":
            return resample_cubic(x, size, grid="first_voxel")
        return CUBIC[self.method](x, size)
