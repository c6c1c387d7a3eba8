"""The JSON files beside images, and those above from which BIDS lets images inherit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .file_names import BidsName, is_hidden, stem_of
from .input_error import InputError


def read_sidecar(image: Path) -> dict[str, Any]:
    """Return what the JSON files of an image tell, empty where there are none.

    That is the one of its name beside it; and for a BIDS name also those in its folder and, below the folder of its
    subject, in all folders up to that of the dataset, which have its suffix and none but its entities. The nearest
    wins, and of one folder that with more entities (BIDS 1.10, the inheritance principle).

    Raises:
        InputError: if one cannot be read, or is no JSON object.
    """
    content: dict[str, Any] = {}
    for file in sidecars_of(image):
        content |= _read(file)
    return content


def sidecars_of(image: Path) -> list[Path]:
    """List the JSON files of an image, the one that wins last."""
    name, own = BidsName.of(image), sidecar_of(image)
    if name is None:
        return [own] if own.is_file() else []
    found = [_applicable(folder, name) for folder in reversed(_folders(image, name))]
    files = [file for of_folder in found for file in of_folder if file != own]
    return [*files, own] if own.is_file() else files


def sidecar_of(image: Path) -> Path:
    """Name the JSON file beside an image that is of it alone."""
    return image.with_name(f"{stem_of(image)}.json")


def _folders(image: Path, name: BidsName) -> list[Path]:
    """Return the folder of an image and, where it lies below that of its subject, those above up to the dataset."""
    parents = list(image.absolute().parents)
    subject = f"sub-{name.entities.get('sub', '')}"
    depth = next((depth for depth, folder in enumerate(parents[:3]) if folder.name == subject), -1)
    return [image.parent, *parents[1 : depth + 2]]


def _applicable(folder: Path, name: BidsName) -> list[Path]:
    files = [file for file in folder.glob(f"*{name.suffix}.json") if not is_hidden(file)]
    others = [(file, BidsName.of(file)) for file in sorted(files)]
    fitting = [(file, other) for file, other in others if other is not None and _is_for(other, name)]
    return [file for file, _ in sorted(fitting, key=lambda pair: len(pair[1].entities))]


def _is_for(sidecar: BidsName, image: BidsName) -> bool:
    return sidecar.suffix == image.suffix and sidecar.entities.items() <= image.entities.items()


def _read(sidecar: Path) -> dict[str, Any]:
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError.at(sidecar, f"cannot be read ({error})", "repair or remove it") from error
    if not isinstance(content, dict):
        raise InputError.at(sidecar, "is no JSON object", "repair or remove it")
    return content
