"""Docstrings as the API reference needs them: references to names as links, and ``::`` before code as a colon."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):`~?\.?([^`]+)`")


class DocstringRoles(griffe.Extension):
    """Rewrite the docstring of every object."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Write the docstring of ``obj`` in Markdown."""
        if obj.docstring:
            text = re.sub(r"::[ ]*\n\n(?=[ ]{4})", ":\n\n", obj.docstring.value)
            obj.docstring.value = ROLE.sub(lambda role: f"`{role[1].rpartition('.')[2]}`", text)
