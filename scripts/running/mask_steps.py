"""Whether a bundle does something with a brain mask."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from pydoc import locate
from typing import TYPE_CHECKING, Any

from ...datasets import InputError
from .config_files import walk
from .configuration import Configuration

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

MASK = "mask"
"""Key of a case at which the path of its brain mask stands."""


def require_mask_step(configuration: Configuration, mask: Path | str) -> None:
    """Check that a step of the preprocessing takes the brain mask of a case, as written or by default.

    Raises:
        InputError: if there is none, for the mask would have no effect.
    """
    parser = configuration.parser
    if not any(_takes_mask(parser, *item) for item in _reached(parser, "preprocessing", set())):
        problem = f"a brain mask has no meaning for {configuration.bundle.name}, which has no step for one"
        raise InputError.at(mask, problem, "leave `mask` out, and set the image to zero outside of the brain")


def _reached(parser: ConfigParser, name: str, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield id and scalar of all that is below ``name``, and below what that refers to."""
    if name in seen or name not in parser:
        return
    seen.add(name)
    for place, value in walk(parser.get(name), name):
        yield place, value
        references = parser.ref_resolver.match_refs_pattern(value) if isinstance(value, str) else ()
        for reference in references:
            yield from _reached(parser, reference, seen)


def _takes_mask(parser: ConfigParser, place: str, value: Any) -> bool:
    if not place.endswith("::_target_"):
        return bool(value == MASK)
    target = locate(value) if isinstance(value, str) and "." in value else None
    parameters = inspect.signature(target).parameters if callable(target) else {}
    written = parser.get(place.removesuffix("::_target_"))
    left = [parameter.default for name, parameter in parameters.items() if name not in written]
    return any(isinstance(default, str) and default == MASK for default in left)
