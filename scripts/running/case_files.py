"""A case of files that somebody names, and a first look at all that a case is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...datasets import Case, InputError, read_volume, subject_and_session
from ...datasets.contrast_files import contrast_paths, in_order, names_to_leave_out
from .configuration import Configuration
from .phase_files import OVERLAY, check_phase, complete_phase


def complete_case(case: Case, configuration: Configuration) -> Case:
    """Order the images of ``case`` as the config's ``contrasts``; without a name it gets that of the result's image.

    Raises:
        InputError: if a contrast is missing or unknown, a file is not there, or the bundle has no ``target`` of which
            there could be a k-space.
    """
    if case.reference is not None and case.kspace is None:
        raise InputError.at(f"`reference` {case.reference}", "has no meaning without `kspace`", "leave it out")
    if case.kspace is not None and "target" not in configuration:
        raise InputError.at("`kspace`", f"has no meaning for {configuration.bundle.name}", "give its images as `image`")
    for name, file in (("kspace", case.kspace), ("reference", case.reference)):
        if file is not None and not Path(file).is_file():
            raise InputError.at(file, "no such file", f"check `{name}`")
    if case.phase or case.magnitude:
        return complete_phase(case)
    contrasts = contrasts_of(case, configuration)
    files = _in_order(case.image, contrasts, optional_contrasts(configuration))
    if not case.subject:
        named = configuration.value("results")[0] if "results" in configuration else contrasts[-1]
        subject, session = subject_and_session(case.kspace or files[contrasts.index(named)] or "")
        case = replace(case, subject=subject, session=session)
    return replace(case, image=files)


def contrasts_of(case: Case, configuration: Configuration) -> list[str]:
    """Return the names of the images of ``case``; a file of k-space stands for the target's."""
    contrasts: list[str] = configuration.value("contrasts")
    if case.kspace is None:
        return contrasts
    target = configuration.value("target")
    return [name for name in contrasts if name != target]


def optional_contrasts(configuration: Configuration) -> list[str]:
    """Return the names of the images that a case may lack."""
    return list(configuration.value("optional_contrasts")) if "optional_contrasts" in configuration else []


def images_of(case: Case, configuration: Configuration) -> dict[str, str]:
    """Return the images of a case that are there and not left out, by contrast, from which its result is made."""
    if case.phase:
        return {}  # a field is made of it, which nobody gave
    left_out = configuration.value("leave_out") if "leave_out" in configuration else []
    absent = names_to_leave_out(left_out, optional_contrasts(configuration))
    named = zip(contrasts_of(case, configuration), case.image, strict=True)
    return {name: path for name, path in named if path is not None and name not in absent}


def _in_order(image: Any, contrasts: Sequence[str], optional: Sequence[str]) -> list[str | None]:
    if not isinstance(image, Mapping):
        raise InputError.at(
            "`image`", "does not tell the contrasts", f"name the file of each of {', '.join(contrasts)}"
        )
    if contrasts == [OVERLAY]:
        raise InputError.at("`image`", "has no meaning with phase", "name the files as `phase` and `magnitude`")
    if unknown := [name for name in image if name not in contrasts]:
        raise InputError.at(f"`image` {unknown[0]}", "no such contrast", f"give each of {', '.join(contrasts)} once")
    if missing := [name for name in contrasts if name not in image and name not in optional]:
        raise InputError.at("`image`", f"no {', '.join(missing)} given", f"add {', '.join(missing)}")
    return in_order(image, contrasts)


def check_cases(items: Iterable[Mapping[str, Any]], configuration: Configuration) -> None:
    """Read images and truths of cases that are looked at late, so that bad ones are told before hours of work.

    Raises:
        InputError: if one cannot be used.
    """
    allow_nan = "allow_nan" in configuration and bool(configuration.value("allow_nan"))
    for case in map(Case.of, items):
        check_case(case, configuration.value("contrasts"), case.mask, allow_nan, optional_contrasts(configuration))
        if case.label is not None:
            read_volume(case.label, allow_nan=allow_nan, allow_constant=True)


def check_case(
    case: Case, contrasts: Sequence[str], mask: Path | str | None, allow_nan: bool, optional: Sequence[str] = ()
) -> Case:
    """Read everything once, so that bad input is told before anything is computed; name all images, add the mask.

    Raises:
        InputError: if an image cannot be used, or the mask has not the shape of one of them.
    """
    if case.phase:
        return check_phase(case, mask, allow_nan)
    is_measured = case.kspace is not None  # k-space may be of a single slice
    image = case.images if is_measured else in_order(contrast_paths(case.image, contrasts, optional), contrasts)
    case = replace(case, image=image)
    shapes = [tuple(read_volume(path, allow_nan=allow_nan, allow_2d=is_measured).shape[1:]) for path in case.images]
    if case.reference is not None:
        read_volume(case.reference, allow_constant=True, allow_2d=True)
    if mask is None:
        return case
    shape = tuple(read_volume(mask, allow_constant=True).shape[1:])
    if shape not in shapes:
        problem = f"the mask has shape {shape}, the images {', '.join(map(str, dict.fromkeys(shapes)))}"
        raise InputError.at(mask, problem, "give a mask on the grid of one of the images")
    return replace(case, mask=str(mask))
