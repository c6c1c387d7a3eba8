"""Label maps with names: the regions of a head, by BIDS' ``dseg.tsv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional as F  # noqa: N812

from .input_error import InputError
from .writing import replacing

Labels = NDArray[np.int16]


class Regions(NamedTuple):
    """A label map and the name of each label.

    Attributes:
        labels: ``(x, y, z)``, 0 outside.
        names: by label.
    """

    labels: Labels
    names: Mapping[int, str]


def regions_of_tissues(tissues: Mapping[str, ArrayLike], known: Sequence[str]) -> Regions:
    """Label each voxel by the tissue with the largest fraction, 0 where the background's is larger.

    Args:
        tissues: fractions, ``(x, y, z)``.
        known: all tissues there may be; their places, from 1, are the labels, the same for every head.

    Raises:
        ValueError: if a tissue is not known.
    """
    if unknown := [name for name in tissues if name not in known]:
        raise ValueError(f"tissues must be among {', '.join(known)}, got {', '.join(unknown)}")
    numbers = np.array([0, *(known.index(name) + 1 for name in tissues)], np.int16)
    return Regions(numbers[largest_tissue(tissues)], dict(enumerate(known, start=1)))


def largest_tissue(tissues: Mapping[str, ArrayLike]) -> NDArray[np.intp]:
    """Return which tissue, counted from 1, has the largest fraction of each voxel; 0 where none does."""
    fractions = np.stack([np.asarray(fraction, np.float32) for fraction in tissues.values()])
    return np.argmax(np.concatenate([1 - fractions.sum(0, keepdims=True), fractions]), axis=0)


def largest_share(labels: ArrayLike, shape: Sequence[int]) -> Labels:
    """Bring a label map ``(x, y, z)`` to a coarser grid of the same extent: the label with the largest share wins.

    Shares are those by which :func:`~mri_attention.simulation.qsm_subject.average_to` averages; of equal shares, the
    smaller label wins.
    """
    fine = np.asarray(labels, np.int16)
    if fine.shape == tuple(shape):
        return fine
    found, best = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
    for label in np.unique(fine):
        region = torch.from_numpy((fine == label).astype(np.float32))[None]
        share = F.adaptive_avg_pool3d(region, tuple(shape))[0].numpy()  # type: ignore[arg-type]
        is_larger = share > best
        found[is_larger], best[is_larger] = label, share[is_larger]
    return found


def write_region_names(folder: Path, names: Mapping[int, str]) -> Path:
    """Write ``dseg.tsv`` with the columns ``index`` and ``name``, of all label maps below ``folder``."""
    path = folder / "dseg.tsv"
    rows = "".join(f"{label}\t{name}\n" for label, name in sorted(names.items()))
    with replacing(path) as temporary:
        temporary.write_text("index\tname\n" + rows, encoding="utf-8")
    return path


def read_region_names(table: Path) -> dict[int, str]:
    """Return the name of each label.

    Raises:
        InputError: if there is no such file, an index is no whole number, or a column is missing.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return {int(row["index"]): row["name"] for row in csv.DictReader(file, delimiter="\t")}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError.at(table, f"cannot be read ({error!r})", "give the columns index and name") from error
