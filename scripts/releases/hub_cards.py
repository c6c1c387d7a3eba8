"""Model repositories for Hugging Face: an exported bundle, with a card that the Hub can read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from ...datasets import InputError
from ..running.bundle import Bundle

_TAGS = re.compile(r"^#+ \**Tags\**\s+(.+)$", re.MULTILINE)
_NEAR_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!\w+:|/|\.\.)([^)]+\))")
_NEAR_LINK = re.compile(r"((?<!!)\[[^\]]*\]\()(?!\w+:|/|\.\.|#)([^)]+\))")


def write_hub_repository(exported: Path, folder: Path) -> Path:
    """Write the files of a model repository into ``folder`` and return its card, ``README.md``.

    Args:
        exported: an exported bundle.
        folder: of its name, which is made.

    Raises:
        InputError: if the bundle's page tells no tags.
    """
    shutil.copytree(exported, folder)
    card = folder / "README.md"
    card.write_text(hub_card(exported), encoding="utf-8")
    return card


def hub_card(exported: Path) -> str:
    """Return the page of the bundle with the fields that the Hub looks for above it, and its links made to fit."""
    page = (exported / "docs" / "README.md").read_text(encoding="utf-8")
    for link in (_NEAR_PICTURE, _NEAR_LINK):
        page = link.sub(r"\1docs/\2", page)
    fields = yaml.safe_dump(card_fields(exported, page), sort_keys=False, allow_unicode=True)
    return f"---\n{fields}---\n\n{page}"


def card_fields(exported: Path, page: str) -> dict[str, Any]:
    """Return license, library, kind of task and tags, as the Hub names them.

    Raises:
        InputError: if the page tells no tags.
    """
    found = _TAGS.search(page)
    if found is None:
        raise InputError.at(exported / "docs" / "README.md", "has no heading Tags", "add it and a line of tags")
    tags = [tag.strip().lower().replace(" ", "-") for tag in found[1].split(",")]
    return {
        "license": "apache-2.0",
        "library_name": "monai",
        "pipeline_tag": _kind(Bundle(exported).metadata),
        "tags": list(dict.fromkeys(["monai", "medical", *tags])),
    }


def _kind(metadata: dict[str, Any]) -> str:
    outputs = metadata["network_data_format"]["outputs"].values()
    is_segmentation = any(output.get("format") == "segmentation" for output in outputs)
    return "image-segmentation" if is_segmentation else "image-to-image"
