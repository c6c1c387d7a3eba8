"""The lesions of a patient's aligned visits, found by a network or given."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError, read_volume
from .bundle import Bundle
from .configuration import Progress
from .prediction import predict
from .written_files import BRAIN_MASK, LESION_MASK

if TYPE_CHECKING:
    from monai.data import MetaTensor

    from .aligned_visits import AlignedVisit, AlignedVisits


def lesions_of_visits(
    bundle: Bundle, aligned: AlignedVisits, folder: Path, settings: Mapping[str, Any], progress: Progress
) -> list[MetaTensor]:
    """Return the lesion mask of each visit on the common grid: what was given, or what the network finds.

    Args:
        bundle: of the network.
        aligned: the visits, whose images are in ``folder``.
        folder: of results; what the network finds goes there too.
        settings: config ids of the bundle and their values.
        progress: is told of each visit.

    Raises:
        InputError: if the network writes no lesion masks.
    """
    given = [visit.lesions for visit in aligned.visits if visit.lesions is not None]
    if given:
        return given
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        datalist, results = Path(temporary) / "visits.json", Path(temporary) / "results"
        datalist.write_text(json.dumps([_entry(visit, folder) for visit in aligned.visits]), encoding="utf-8")
        own = {**settings, "register": False}  # they are aligned
        for prediction in predict(bundle, datalist, results, settings=own, progress=progress):
            for file in prediction.files:
                shutil.move(file, folder / file.relative_to(results))
    masks = [visit.file(folder, LESION_MASK) for visit in aligned.visits]
    if missing := [mask.name for mask in masks if not mask.is_file()]:
        raise InputError.at(bundle.name, f"wrote no {missing[0]}", "choose a bundle that segments lesions")
    return [read_volume(mask, allow_constant=True) for mask in masks]


def with_brains(aligned: AlignedVisits, folder: Path) -> AlignedVisits:
    """Add the brain masks that were made."""
    files = [visit.file(folder, BRAIN_MASK) for visit in aligned.visits]
    visits = [
        replace(visit, brain=read_volume(file)) if file.is_file() else visit
        for visit, file in zip(aligned.visits, files, strict=True)
    ]
    return replace(aligned, visits=visits)


def _entry(visit: AlignedVisit, folder: Path) -> dict[str, Any]:
    images = {name: str(visit.file(folder, name)) for name in visit.images}
    brain = {} if visit.brain is None else {"mask": str(visit.file(folder, BRAIN_MASK))}
    return {"subject": visit.visit.subject, "session": visit.visit.session, "image": images, **brain}
