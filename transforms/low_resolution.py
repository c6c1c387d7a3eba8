"""Simulate a scan of lower resolution, as the literature of brain super-resolution does."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ensure_tuple, ensure_tuple_rep
from scipy import ndimage
from torch import Tensor

from ..operators.grids import scaled_affine
from ..operators.resampling import resample_cubic, resample_spline
from .keyed import KeyedTransform


class SimulateLowResolution(Transform):
    """Blur an image ``(c, *spatial)`` and keep every second or third voxel, by a cubic spline.

    The protocol of Pham et al. 2019, Comput Med Imaging Graph 77:101647, doi:10.1016/j.compmedimag.2019.101647, and its
    successors, as their public code has it: intensities of the whole volume mapped to 0..1, a Gaussian of one voxel,
    a crop to a multiple of ``scale``, and a cubic spline without antialiasing. Their call of scipy's ``zoom`` writes
    zeros into the last plane of some sizes; here the outer voxel edges of both grids coincide.

    Axes of scale 1 are not blurred, for scans with thick slices, whose voxels average what lies within them:
    ``profile="box"``. A MetaTensor gets the affine of the coarse grid.

    Args:
        scale: how many voxels become one, for all or for each axis.
        sigma: standard deviation of the Gaussian, in voxels of the input; of several, the images follow each other
            along the channels.
        antialias: cubic convolution with antialiasing instead of the spline, as Matlab's ``imresize3``.
        normalize: map intensities to 0..1; a constant image becomes zero.
        profile: ``"gaussian"``, the above; or ``"box"``, the mean of as many voxels as become one, without blur and
            spline, whatever ``sigma`` is, as of slices with no gap and a rectangular profile.

    Raises:
        ValueError: if a scale is below one, ``sigma`` is negative or ``profile`` unknown, or there are several
            ``sigma`` with a box; when called, if an axis is shorter than its scale.
    """

    def __init__(
        self,
        scale: int | Sequence[int] = 2,
        sigma: float | Sequence[float] = 1.0,
        antialias: bool = False,
        normalize: bool = True,
        profile: Literal["gaussian", "box"] = "gaussian",
    ) -> None:
        if min(ensure_tuple(scale)) < 1 or min(ensure_tuple(sigma)) < 0:
            raise ValueError(f"scale must be positive and sigma not negative, got {scale=}, {sigma=}")
        if profile not in ("gaussian", "box"):
            raise ValueError(f"profile must be gaussian or box, got {profile!r}")
        if profile == "box" and len(ensure_tuple(sigma)) > 1:
            raise ValueError(f"a box has no blur: give one sigma, or the profile gaussian, got {sigma=}")
        self.profile = profile
        self.scale = scale
        self.sigma = sigma
        self.antialias = antialias
        self.normalize = normalize

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image of low resolution."""
        scale = ensure_tuple_rep(self.scale, image.ndim - 1)
        values = self._normalize(_plain(image))
        if self.profile == "box":
            low = _crop(values, scale)
            for axis, factor in enumerate(scale, 1):
                low = low.unflatten(axis, (-1, factor)).mean(axis + 1)
        else:
            low = torch.cat([self._blurred(values, scale, sigma) for sigma in ensure_tuple(self.sigma)])
        if not isinstance(image, MetaTensor):
            return low
        return MetaTensor(low, meta=dict(image.meta), affine=scaled_affine(image.affine, scale))

    def _blurred(self, values: Tensor, scale: Sequence[int], sigma: float) -> Tensor:
        sigmas = (0.0, *(sigma if factor > 1 else 0.0 for factor in scale))
        blurred = torch.from_numpy(ndimage.gaussian_filter(values.cpu().numpy(), sigmas)).to(values)
        blurred = _crop(blurred, scale)
        size = [n // factor for n, factor in zip(blurred.shape[1:], scale, strict=True)]
        return resample_cubic(blurred, size, antialias=True) if self.antialias else resample_spline(blurred, size)

    def reference(self, image: Tensor) -> Tensor:
        """Return what is to be found from the result: the image with the same crop and intensities."""
        values = _crop(self._normalize(_plain(image)), ensure_tuple_rep(self.scale, image.ndim - 1))
        if not isinstance(image, MetaTensor):
            return values
        return MetaTensor(values, meta=dict(image.meta), affine=image.affine)

    def _normalize(self, values: Tensor) -> Tensor:
        if not self.normalize:
            return values
        axes = tuple(range(1, values.ndim))
        low, high = values.amin(axes, keepdim=True), values.amax(axes, keepdim=True)
        return (values - low) / (high - low).where(high > low, torch.ones_like(high))


class SimulateLowResolutiond(KeyedTransform):
    """Dictionary version of :class:`SimulateLowResolution`.

    Args:
        keys: of images, which are cropped and normalized to be the references.
        output_keys: where the images of low resolution go.
        options: see :class:`KeyedTransform`.
    """

    array = SimulateLowResolution

    def __init__(self, keys: KeysCollection, output_keys: KeysCollection, **options: Any) -> None:
        super().__init__(keys, output_keys, **options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the image of low resolution of every key."""
        references = {key: self.transform.reference(data[key]) for key in self.key_iterator(dict(data))}
        return super().__call__(data) | references


def _plain(image: Tensor) -> Tensor:
    plain: Tensor = image.as_tensor() if isinstance(image, MetaTensor) else image
    return plain if plain.is_floating_point() else plain.float()


def _crop(values: Tensor, scale: Sequence[int]) -> Tensor:
    shape = values.shape[1:]
    if any(n < factor for n, factor in zip(shape, scale, strict=True)):
        raise ValueError(f"an image of size {tuple(shape)} is too small for scale {tuple(scale)}")
    inside = (slice(None), *(slice(n - n % factor) for n, factor in zip(shape, scale, strict=True)))
    return values[inside]
