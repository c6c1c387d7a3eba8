"""What people give, as objects: in text MONAI evaluates what begins with ``$``, ``@`` or ``%``, and replaces ``#``."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any


class Given:
    """A target of a component, which MONAI calls and in whose place it puts the value, unread.

    Args:
        value: text, a list or a dictionary, such as the path of an image or a case.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> Any:
        """Return the value, a copy that nobody else changes."""
        return deepcopy(self.value)


def as_object(value: Any) -> Any:
    """Return what stands for ``value`` in a config; paths become text, as configs join them with more of it.

    Numbers, None and objects are what they are: MONAI reads text, lists and dictionaries alone.
    """
    if isinstance(value, Path):
        value = str(value)
    return {"_target_": Given(value)} if isinstance(value, str | list | tuple | dict) else value


def is_given(content: Any) -> bool:
    """Tell whether this part of a config is what :func:`as_object` made."""
    return isinstance(content, dict) and isinstance(content.get("_target_"), Given)


def as_text(content: Any) -> Any:
    """Return a config in which given values stand as text again that MONAI reads as these values, for a record.

    That is an expression of a literal in which the characters that mean something to MONAI are written by their codes.
    """
    if is_given(content):
        literal = repr(content["_target_"].value)
        return "$" + literal.replace("@", "\\x40").replace("#", "\\x23")
    if isinstance(content, dict):
        return {name: as_text(value) for name, value in content.items()}
    return [as_text(value) for value in content] if isinstance(content, list) else content


def has_number_sign(value: Any) -> bool:
    """Tell whether ``value`` is plain text in which MONAI would replace ``#``, and evaluate nothing."""
    return isinstance(value, str) and "#" in value and value[0] not in "$@%"
