"""Interpolation in a network's place, and before networks."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ...transforms.resampling import resample_cubic, resample_deconvolved, resample_spline

Method = Literal["linear", "cubic", "spline", "deconvolved"]
METHODS = get_args(Method)
CUBIC = {"cubic": resample_cubic, "spline": resample_spline, "deconvolved": resample_deconvolved}


class Interpolation(nn.Module):
    """Magnify an image, outer voxel edges kept. It has no parameters.

    Args:
        scale: number of voxels that one becomes along each axis; 1 returns the image.
        method: ``"linear"``; ``"cubic"`` convolution; the cubic ``"spline"`` of scipy, as in the literature; or
            ``"deconvolved"``, what undoes the literature's blur at best by linear means.

    Raises:
        ValueError: if ``scale`` is below one or ``method`` is unknown.
    """

    def __init__(self, scale: int = 2, method: Method = "spline") -> None:
        super().__init__()
        if scale < 1:
            raise ValueError(f"scale must not be below 1, got {scale}")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        self.scale = scale
        self.method = method

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, c, *spatial)``, 2D or 3D, to ``(b, c, *(scale * spatial))``."""
        if self.scale == 1:
            return x
        size = [self.scale * n for n in x.shape[2:]]
        if self.method == "linear":
            return F.interpolate(x, size, mode="bilinear" if len(size) == 2 else "trilinear")
        return CUBIC[self.method](x, size)
