"""Cases made of files that are named on the command line, and a first look at all that a case is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..datasets import InputError, read_volume


def named_case(
    images: Sequence[str], contrasts: Sequence[str], kspace: Path | None = None, target: str | None = None
) -> dict[str, Any]:
    """Return the datalist entry of files named on the command line.

    Args:
        images: ``CONTRAST=FILE`` each.
        contrasts: which images there must be.
        kspace: file that takes the place of the image of ``target``.
        target: which of ``contrasts`` is reconstructed.

    Raises:
        InputError: if a contrast is missing, given twice or unknown.
    """
    wanted = [name for name in contrasts if kspace is None or name != target]
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
    name = Path(kspace or files[-1]).name
    found = re.match(r"(sub-[A-Za-z0-9]+)(?:_(ses-[A-Za-z0-9]+))?", name)
    subject, session = (found[1], found[2] or "") if found else (name.partition(".")[0], "")
    case = {"subject": subject, "session": session, "image": files}
    return case if kspace is None else case | {"kspace": str(kspace)}


def check_case(case: dict[str, Any], contrasts: Sequence[str], mask: Path | None, allow_nan: bool) -> dict[str, Any]:
    """Read everything once, so that bad input is told before anything is computed; name all images, add the mask.

    Raises:
        InputError: if an image cannot be used, or the mask has not the shape of one of them.
    """
    from ..transforms.contrasts import contrast_paths

    if "kspace" in case:
        paths: list[Any] = case["image"]
        if not Path(case["kspace"]).is_file():
            raise InputError.at(case["kspace"], "no such file", "check --kspace")
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
