"""Config ids: whether there are such, which may have been meant, and what kind of values they take."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pydoc import locate
from typing import TYPE_CHECKING, Any

from ...datasets import InputError

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

COUNTS = (
    *("epochs", "steps", "subjects", "samples", "slices_at_once", "val_interval", "learning_rate", "scale", "tile"),
    *("acceleration", "accelerations"),
)
"""Ids whose numbers are above zero."""

NOT_NEGATIVE = (
    "noise",
    "sigma",
    "sigmas",
    "num_workers",
    "validation_share",
    "smallest_lesion",
    "checkpoint_minutes",
    "halo",
)
"""Ids whose numbers are not below zero."""

SWITCHES = ("half_precision",)
"""Ids that are true or false, though the configs compute which."""

WORDS_TOO = ("register",)
"""Ids that are true, false, or a word."""

CODE = "$@%"
"""What begins with one of these is code to MONAI."""

RESERVED = ("_target_", "_disabled_", "_requires_", "_desc_", "_mode_")
"""Keys of a component that are no arguments."""


def require_known(parser: ConfigParser, names: Iterable[str]) -> None:
    """Check that each name is an id of the config, an argument that a component takes, or begins with ``+``.

    Raises:
        InputError: if one is not, as that would have no effect; names the nearest.
    """
    for name in names:
        if not (name.startswith("+") or name in parser or _is_argument(parser, name)):
            near = nearest(parser, name)
            remedy = f"did you mean {near}? (+{name} adds an id)" if near else f"write +{name} to add it"
            raise InputError.at(name, "no such id", remedy)


def require_kinds(parser: ConfigParser, values: Mapping[str, Any]) -> None:
    """Check that each value is of the kind of the one that it takes the place of: a number, true or false, a list.

    Code (``$``, ``@``, ``%``), null, lists in the place of numbers and numbers in that of lists are not looked into.
    Ids of :data:`COUNTS` must be above zero, and those of :data:`NOT_NEGATIVE` not below.

    Raises:
        InputError: if one is not.
    """
    for name, value in values.items():
        _require_range(name, value)
        is_code = isinstance(value, str) and (not value or value[0] in CODE)
        if name not in parser or name in WORDS_TOO or is_code:
            continue
        if name == "device":
            _require_device(value)
        else:
            _require_kind(name, value, True if name in SWITCHES else parser.get(name))


def _require_range(name: str, value: Any) -> None:
    numbers = [each for each in (value if isinstance(value, list) else [value]) if _is_number(each)]
    if name in COUNTS and not all(each > 0 for each in numbers):
        raise InputError.at(f"`{name}` {value}", "is not above 0", "give a larger number")
    if name in NOT_NEGATIVE and not all(each >= 0 for each in numbers):
        raise InputError.at(f"`{name}` {value}", "is negative, or no number", "give 0 or more")


def _require_device(value: Any) -> None:
    import torch

    try:
        torch.empty(0, device=value)
    except Exception as error:  # of the many that torch raises
        reason = " ".join(str(error).split(".")[0].split())
        raise InputError.at(
            f"`device` {value}", f"cannot be used ({reason})", "give cpu, or cuda with a GPU"
        ) from error


def _require_kind(name: str, value: Any, former: Any) -> None:
    if isinstance(former, bool) and (isinstance(value, str) or _is_number(value)):
        raise InputError.at(f"`{name}` {value}", "is neither true nor false", "give one of them")
    if _is_number(former) and isinstance(value, str | bool):
        raise InputError.at(f"`{name}` {value}", "is not a number", f"give one, such as {former}")
    if isinstance(former, list) and former:
        _require_list(name, value, former)


def _require_list(name: str, value: Any, former: list[Any]) -> None:
    example = "[" + ", ".join(map(str, former)) + "]"
    if isinstance(value, str | bool):
        raise InputError.at(f"`{name}` {value}", "is not a list", f"give one, such as {example}")
    if not (isinstance(value, list) and all(map(_is_number, former))):
        return
    is_empty = not value and "::" not in name  # of networks, it may be meant
    if is_empty or any(isinstance(each, str) and each[:1] not in CODE for each in value):
        problem = "holds what is no number" if value else "is empty"
        raise InputError.at(f"`{name}` {value}", problem, f"give numbers, such as {example}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def nearest(parser: ConfigParser, name: str) -> str | None:
    """Return the id or argument whose name is most like ``name``, None where none is."""
    known = [*_ids(parser.get())]
    parent = _parent(name)
    known += [f"{parent}::{argument}" for argument in _arguments(parser, parent) or ()]
    return next(iter(get_close_matches(_normalized(name), known, n=1)), None)


def _normalized(name: str) -> str:
    return name.replace("#", "::")  # as MONAI reads it


def _parent(name: str) -> str:
    return _normalized(name).rpartition("::")[0]


def _is_argument(parser: ConfigParser, name: str) -> bool:
    """Tell whether ``name`` is an argument, not yet written, of a component; True where that cannot be known."""
    parent, _, argument = _normalized(name).rpartition("::")
    content = parser.get(parent) if parent else None
    if not (isinstance(content, dict) and "_target_" in content):
        return False
    arguments = _arguments(parser, parent)
    return arguments is None or argument in arguments or argument in RESERVED


def _arguments(parser: ConfigParser, place: str) -> set[str] | None:
    """Return names of what the component at ``place`` takes; None for one that takes any, or cannot be found."""
    from monai.bundle.config_item import ConfigComponent

    content = parser.get(place) if place else None
    if not ConfigComponent.is_instantiable(content):
        return set()
    target = ConfigComponent(content, locator=parser.locator).resolve_module_name()
    found = locate(target) if isinstance(target, str) else None
    return None if found is None else _names(found)


def _names(target: Any) -> set[str] | None:
    """Return names of the arguments of a class, or of a function; None where it takes any."""
    functions = (
        [vars(kind)["__init__"] for kind in target.__mro__ if "__init__" in vars(kind)]
        if inspect.isclass(target)
        else [target]
    )
    names: set[str] = set()
    for function in functions:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return None
        names |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            return names
    return None


def _ids(content: Any, place: str = "") -> Iterator[str]:
    """Yield the id of each part of a config, lists and dictionaries too."""
    if isinstance(content, dict | list):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            name = f"{place}::{key}" if place else str(key)
            yield name
            yield from _ids(value, name)
