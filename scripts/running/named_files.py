"""Cases made of files that are named on the command line, and a first look at all that a case is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets import InputError, read_volume
from .bundles import merged_config, read_value


@dataclass(frozen=True)
class MeasuredKspace:
    """A file of k-space in the place of an image.

    Attributes:
        file: fastMRI or ISMRMRD ``.h5``, or ``.npz``.
        target: name of the image that is reconstructed from it.
        reference: an image on the grid of the result, None for the guide's.
    """

    file: Path
    target: str
    reference: Path | None


def measured_kspace(
    bundle: Path, configs: Sequence[str], file: Path | None, reference: Path | None
) -> MeasuredKspace | None:
    """Return what ``--kspace`` and ``--reference`` name, None without ``file``.

    Raises:
        InputError: if a file is missing, or the bundle's config tells no ``target`` that has a k-space.
    """
    if file is None:
        if reference is not None:
            raise InputError.at(f"--reference {reference}", "has no meaning without --kspace", "leave it out")
        return None
    if "target" not in merged_config(bundle, configs, {}):
        raise InputError.at("--kspace", f"has no meaning for {bundle.name}", "give its images, --image CONTRAST=FILE")
    for option, path in (("--kspace", file), ("--reference", reference)):
        if path is not None and not path.is_file():
            raise InputError.at(path, "no such file", f"check {option}")
    return MeasuredKspace(file, read_value(bundle, configs, {}, "target"), reference)


def named_case(images: Sequence[str], contrasts: Sequence[str], kspace: MeasuredKspace | None = None) -> dict[str, Any]:
    """Return the datalist entry of files named on the command line.

    Args:
        images: ``CONTRAST=FILE`` each.
        contrasts: which images there must be.
        kspace: takes the place of the image of its target.

    Raises:
        InputError: if a contrast is missing, given twice or unknown.
    """
    wanted = [name for name in contrasts if kspace is None or name != kspace.target]
    paths: dict[str, str] = {}
    for item in images:
        name, _, path = item.partition("=")
        if name not in wanted or not path or name in paths:
            problem = "given twice" if name in paths else "not CONTRAST=FILE"
            raise InputError.at(f"--image {item}", problem, f"give each of {', '.join(wanted)} once")
        paths[name] = path
    if missing := [name for name in wanted if name not in paths]:
        remedy = " ".join(f"--image {name}=FILE" for name in missing)
        raise InputError.at("--image", f"no {', '.join(missing)} given", f"add {remedy}")
    files = [paths[name] for name in wanted]
    name = Path(files[-1] if kspace is None else kspace.file).name
    found = re.match(r"(sub-[A-Za-z0-9]+)(?:_(ses-[A-Za-z0-9]+))?", name)
    subject, session = (found[1], found[2] or "") if found else (name.partition(".")[0], "")
    case = {"subject": subject, "session": session, "image": files}
    if kspace is None:
        return case
    reference = {} if kspace.reference is None else {"reference": str(kspace.reference)}
    return case | {"kspace": str(kspace.file)} | reference


def check_case(case: dict[str, Any], contrasts: Sequence[str], mask: Path | None, allow_nan: bool) -> dict[str, Any]:
    """Read everything once, so that bad input is told before anything is computed; name all images, add the mask.

    Raises:
        InputError: if an image cannot be used, or the mask has not the shape of one of them.
    """
    from ...transforms.load_contrasts import contrast_paths

    if "kspace" in case:
        paths: list[Any] = case["image"]
    else:
        paths = list(contrast_paths(case["image"], contrasts).values())
    shapes = [tuple(read_volume(path, allow_nan=allow_nan).shape[1:]) for path in paths]
    case = case | {"image": [str(path) for path in paths]}
    if mask is None:
        return case
    shape = tuple(read_volume(mask).shape[1:])
    if shape not in shapes:
        problem = f"the mask has shape {shape}, the images {', '.join(map(str, dict.fromkeys(shapes)))}"
        raise InputError.at(mask, problem, "give a mask on the grid of one of the images")
    return case | {"mask": str(mask)}
