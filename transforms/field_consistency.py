"""Make susceptibility maps agree with the measured field, over the whole volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch import Tensor

from .b0_direction import Vector
from .dipole_convolution import DipoleConvolution
from .dipole_inversion import cgls


def agree_with_field(  # noqa: PLR0913 - a problem and the options of its solver
    susceptibility: Tensor,
    field: Tensor,
    mask: Tensor,
    voxel_size: Vector,
    b0_direction: Vector,
    weight: float,
    *,
    n_iterations: int = 50,
    tolerance: float = 1e-3,
    padding: float = 2.0,
) -> Tensor:
    """Minimize ``|M (D x - b)|^2 + weight |x - chi|^2`` over maps x that are zero outside of the mask M.

    The data-consistency step of MoDL, Aggarwal et al. 2019, IEEE Trans Med Imaging 38:394,
    doi:10.1109/TMI.2018.2865356, equation 7, with the dipole for the coils. The difference ``x - chi`` is found by
    :func:`cgls` with the weight as its damping. Unlike :class:`DipoleDataConsistency`, which is the closed form where
    the field is measured everywhere, it knows that there is no field outside of the mask, and sources do not meet their
    periodic images. A field is fit down to its noise: the more of it, the larger the weight should be.

    Args:
        susceptibility: chi in ppm, ``(b, 1, x, y, z)``.
        field: b in ppm, of the same shape.
        mask: where the field is measured, of the same shape.
        voxel_size: mm, ``(3,)`` or ``(b, 3)``.
        b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``.
        weight: of the map chi, in units of D^2, whose values are up to 4/9.
        n_iterations: at most; the smaller the weight, the more are needed.
        tolerance: stop when the residual of the normal equations has fallen to this part of the first.
        padding: factor by which the grid grows by zeros.

    Returns:
        ``(b, 1, x, y, z)``, in ppm.

    Raises:
        ValueError: if ``weight`` is not positive, or ``padding`` below 1.
    """
    if not weight > 0:
        raise ValueError(f"weight must be positive, got {weight}")
    chi, support = susceptibility * mask, mask.to(field.dtype)
    convolve = DipoleConvolution(field.shape[2:], voxel_size, b0_direction, padding, dtype=field.dtype)
    missing = support * (field - convolve.to(field.device)(chi))
    options: dict[str, Any] = {"damping": weight, "tolerance": tolerance, "padding": padding}
    return chi + cgls(missing, voxel_size, b0_direction, support, n_iterations, **options)


class AgreeWithFieldd(MapTransform):
    """Make maps (ppm) agree with the local field that they were made from, by :func:`agree_with_field`.

    Takes ``mask``, ``voxel_size`` (mm) and ``b0_direction`` (voxel axes) as :class:`LoadLocalFieldd` adds them.

    Args:
        keys: of maps ``(1, x, y, z)``.
        image_key: of the image whose first channel is the field (ppm), on the grid of the maps.
        weight: of the map, see :func:`agree_with_field`; with None, maps stay as they are.
        mask_key: of the mask.
        options: further arguments of :func:`agree_with_field`.

    Raises:
        ValueError: if ``weight`` is not positive.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        weight: float | None = None,
        mask_key: str = "mask",
        **options: Any,
    ) -> None:
        super().__init__(keys)
        if weight is not None and not weight > 0:
            raise ValueError(f"weight must be positive or None, got {weight}")
        self.image_key = image_key
        self.weight = weight
        self.mask_key = mask_key
        self.options = options

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct the map at every key."""
        out = dict(data)
        if self.weight is None:
            return out
        for key in self.key_iterator(out):
            given = (out[key], out[self.image_key][:1], out[self.mask_key])
            chi, field, mask = (torch.as_tensor(t).as_subclass(Tensor).to(out[key].device).float()[None] for t in given)
            size, direction = (torch.as_tensor(out[name]).to(chi) for name in ("voxel_size", "b0_direction"))
            with torch.no_grad():
                agreed = agree_with_field(chi, field, mask, size, direction, self.weight, **self.options)
            out[key] = out[key] * 0 + agreed[0]  # a MetaTensor remains one
        return out
