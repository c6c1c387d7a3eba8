"""Error of an image inside lesions, around them and elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from .named_columns import NamedColumnsMetric

Place = Literal["inside", "ring", "outside"]
Measure = Literal["rmse", "mean", "nmse", "psnr", "contrast"]
RING = 2  # voxels


class LesionError(NamedColumnsMetric):
    """Compute an error in lesions, in a ring around them, or in the rest of the tissue.

    For the prediction x and the reference t at the voxels of the place:

    - ``"rmse"``: root mean square of ``x - t``, over the mean of t in tissue;
    - ``"mean"``: mean of ``x - t``, over the mean of t in tissue;
    - ``"nmse"``: ``|x - t|^2 / |t|^2``;
    - ``"psnr"``: ``10 log10(max(t)^2 / MSE)`` in dB, with the maximum of the whole reference;
    - ``"contrast"``: mean of x inside minus that in the ring, over the same of t, whatever the place. It is 1 where
      lesions stand out as they should, and 0 where they are painted over by what surrounds them.

    Tissue is what lies above the mean of the whole reference. The ring is tissue within two voxels of a
    lesion. A guide that does not show a lesion and is painted into the result makes the mean error inside negative
    where lesions are bright. NaN where there is no lesion, or none is told.

    Takes predictions ``(b, 1, *spatial)`` and references ``(b, 2, *spatial)`` whose second channel is the mask of
    lesions, or with one channel for none.

    Args:
        where: ``"inside"``, ``"ring"`` or ``"outside"`` (the ring is outside too).
        measure: see above.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: for another ``where`` or ``measure``; when called, for images that differ in shape.
    """

    names = ("error",)
    n_channels = (1, 2)

    def __init__(  # noqa: B042  # an error to be measured, and no exception
        self, where: Place = "inside", measure: Measure = "rmse", reduction: str = "mean_batch"
    ) -> None:
        super().__init__(reduction=reduction)
        for name, value, known in (("where", where, get_args(Place)), ("measure", measure, get_args(Measure))):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        self.where = where
        self.measure = measure

    def _row(self, *images: NDArray[Any]) -> list[float]:
        prediction, reference, *lesions = map(torch.from_numpy, images)
        tissue = reference > reference.mean()
        if not lesions or not lesions[0].any() or not tissue.any():
            return [math.nan]
        places = lesion_places(lesions[0] > 0, tissue)
        if self.measure == "contrast":
            return [float(_contrast(prediction, places) / _contrast(reference, places))]
        x, t = prediction[places[self.where]], reference[places[self.where]]
        return [MEASURES[self.measure](x, t, reference, tissue) if t.numel() else math.nan]


def lesion_places(lesions: Tensor, tissue: Tensor) -> dict[str, Tensor]:
    """Return the masks of ``"inside"``, ``"ring"`` and ``"outside"`` for masks ``(*spatial)``, bool."""
    near = torch.from_numpy(ndimage.binary_dilation(lesions.numpy(), iterations=RING))
    return {"inside": lesions, "ring": near & tissue & ~lesions, "outside": tissue & ~lesions}


def _contrast(image: Tensor, places: dict[str, Tensor]) -> Tensor:
    return image[places["inside"]].mean() - image[places["ring"]].mean()


def _psnr(x: Tensor, t: Tensor, reference: Tensor, _: Tensor) -> float:
    error = float((x - t).square().mean())
    return 10 * math.log10(float(reference.max()) ** 2 / error) if error else math.inf


MEASURES: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], float]] = {
    "rmse": lambda x, t, reference, tissue: float((x - t).square().mean().sqrt() / reference[tissue].mean()),
    "mean": lambda x, t, reference, tissue: float((x - t).mean() / reference[tissue].mean()),
    "nmse": lambda x, t, *_: float((x - t).square().sum() / t.square().sum()),
    "psnr": _psnr,
}
