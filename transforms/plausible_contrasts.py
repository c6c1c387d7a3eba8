"""Images that are likely not the contrasts that they were given as: told in one line each."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from ..datasets.file_names import stem_of
from ..datasets.input_error import InputError
from ..datasets.sidecars import read_sidecar

logger = logging.getLogger(__name__)

AFTER_CONTRAST = re.compile(
    r"(?i)(?:^|[\W_])(ce-[a-z0-9]+|t1-?(?:ce|c|gd|km)|gad(?:olinium)?|post-?contrast)(?:[\W_]|$)"
)
MARGIN = 0.2  # of skewness or correlation; 11 heads of two collections have 0.6 and more
MIN_VOXELS = 1000
TISSUE = (0.05, 0.7)  # quantiles of the T2w between which there is hardly any fluid
FLUID = 0.2  # quantile of T1w and FLAIR below which there is

Array = NDArray[np.float32]


def warn_of_images(images: Mapping[str, MetaTensor]) -> None:
    """Tell of images that are one and the same, of masks, and of a T1w after contrast agent.

    Args:
        images: ``(1, x, y, z)`` by contrast, as they were read.
    """
    for place, problem, remedy in (*_doubles(images), *_masks(images), *_agents(images)):
        logger.warning("%s: %s; %s", place, problem, remedy)


def warn_of_swaps(aligned: Mapping[str, MetaTensor]) -> None:
    """Tell of images ``(1, x, y, z)`` on one grid, by contrast, that seem to be in each other's place."""
    if pair := swapped_contrasts({name: image.as_tensor()[0].numpy() for name, image in aligned.items()}):
        one, other = pair
        message = "%s: looks less like the %s than the %s image does; check that they are not in each other's place"
        logger.warning(message, _path(aligned[one]), one, other)


def warn_of_thick_voxels(image: MetaTensor, thickest: float | None) -> None:
    """Tell of voxels that are more than ``thickest`` times as long as wide; nothing with None."""
    sizes = np.linalg.norm(np.asarray(image.affine)[:3, :3], axis=0)
    if thickest is not None and sizes.max() > thickest * sizes.min() * (1 + 1e-3):
        told = " x ".join(f"{size:.3g}" for size in sizes)
        message = "%s: voxels of %s mm, and the network knows cubes; give one of thinner slices, or mind the result"
        logger.warning(message, _path(image), told)


def _doubles(images: Mapping[str, MetaTensor]) -> Iterator[tuple[str, str, str]]:
    for number, (name, image) in enumerate(images.items()):
        for other in list(images)[:number]:
            if image.shape == images[other].shape and torch.equal(image.as_tensor(), images[other].as_tensor()):
                yield _path(image), f"holds the same picture as the {other} image", f"give the {name} of the same head"
                break


def _masks(images: Mapping[str, MetaTensor]) -> Iterator[tuple[str, str, str]]:
    for name, image in images.items():
        values = image.as_tensor()
        if ((values == values.min()) | (values == values.max())).all():
            problem = f"has two values only ({values.min():g} and {values.max():g}), as a mask has"
            yield _path(image), problem, f"give the {name} image"


def _agents(images: Mapping[str, MetaTensor]) -> Iterator[tuple[str, str, str]]:
    if "T1w" in images and (agent := contrast_agent(Path(_path(images["T1w"])))):
        remedy = "give the T1w before contrast agent, which networks were trained with"
        yield _path(images["T1w"]), f"is a T1w after contrast agent ({agent})", remedy


def contrast_agent(path: Path) -> str:
    """Return what name or sidecar of an image tell of a contrast agent; empty where there is none."""
    if found := AFTER_CONTRAST.search(stem_of(path)):
        return found[1]
    try:
        agent = read_sidecar(path).get("ContrastBolusAgent")
    except InputError:
        return ""  # a warning needs no sidecar
    return str(agent) if agent and str(agent).lower() not in ("none", "no", "n/a") else ""


def swapped_contrasts(volumes: Mapping[str, Array]) -> tuple[str, str] | None:
    """Find two of T1w, T2w and FLAIR that are likely in each other's place; None where all look right.

    In the middle of a head, where the ventricles are, fluid is the bright tail of the intensities in a T2w and the dark
    one in the others. Of these two, the one that is the darker where the T2w is the brighter, among voxels without
    fluid, is the T1w, whose white matter is brighter than gray matter.

    Args:
        volumes: ``(x, y, z)`` by contrast, on one grid.
    """
    inside = _middle(volumes)
    if "T2w" not in inside or len(inside["T2w"]) < MIN_VOXELS:
        return None
    skewness = {name: _skewness(values) for name, values in inside.items() if name in ("T1w", "T2w", "FLAIR")}
    brightest = max(skewness, key=lambda name: skewness[name])
    if skewness[brightest] > skewness["T2w"] + MARGIN and skewness[brightest] > MARGIN / 2:
        return "T2w", brightest
    if "T1w" in inside and "FLAIR" in inside and skewness["T2w"] > MARGIN / 2:
        found = _correlations_in_tissue(inside)
        return ("T1w", "FLAIR") if found and found[0] > found[1] + MARGIN else None
    return None


def _middle(volumes: Mapping[str, Array]) -> dict[str, Array]:
    """Return the voxels of the middle of a head, along each axis half of it, where no image is zero."""
    first = next(iter(volumes.values()))
    head = first > first.mean()
    places = [np.flatnonzero(head.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not all(len(place) for place in places):
        return {}
    box = tuple(slice(int(np.quantile(p, 0.25)), int(np.quantile(p, 0.75)) + 1) for p in places)
    middle = {name: volume[box] for name, volume in volumes.items()}
    present = np.all([values != 0 for values in middle.values()], axis=0)
    return {name: values[present] for name, values in middle.items()}


def _skewness(values: Array) -> float:
    dark, median, bright = np.quantile(values, [0.02, 0.5, 0.98])
    return float((bright + dark - 2 * median) / (bright - dark)) if bright > dark else 0.0


def _correlations_in_tissue(inside: Mapping[str, Array]) -> tuple[float, float] | None:
    low, high = np.quantile(inside["T2w"], TISSUE)
    tissue = (inside["T2w"] > low) & (inside["T2w"] < high)
    for name in ("T1w", "FLAIR"):
        tissue &= inside[name] > np.quantile(inside[name], FLUID)
    if tissue.sum() < MIN_VOXELS or any(np.ptp(inside[name][tissue]) == 0 for name in ("T1w", "T2w", "FLAIR")):
        return None
    t1w, flair = (np.corrcoef(inside[name][tissue], inside["T2w"][tissue])[0, 1] for name in ("T1w", "FLAIR"))
    return float(t1w), float(flair)


def _path(image: MetaTensor) -> str:
    return str(image.meta["filename_or_obj"])
