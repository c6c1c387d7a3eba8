"""What the model zoo's ``meta_schema_20240725.json`` demands of ``metadata.json``, as a JSON schema.

Each rule was compared with the text at https://project-monai.github.io/schema/meta_schema_20240725.json: the same
fields are required, with the same types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Rule = dict[str, Any]

NEWEST_SCHEMA = "meta_schema_20240725.json"
OLDER_SCHEMA = re.compile(r"meta_schema_(?!20240725)\d+\.json")

OLDER_NAMES = {"optional_packages_version": "required_packages_version"}
"""Names that MONAI still reads, and what it calls them."""

TEXT, OBJECT = {"type": "string"}, {"type": "object"}


def _each(names: Sequence[str], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


TENSOR: Rule = {
    "type": "object",
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
    "properties": {
        **_each(("type", "format", "dtype"), TEXT),
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["string", "integer"]}},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": OBJECT,
    },
}

ARGUMENTS: Rule = {
    "type": "object",
    "additionalProperties": {"if": OBJECT, "then": TENSOR, "else": {"type": ["number", "string", "boolean"]}},
}

DATA_FORMAT: Rule = {
    "type": "object",
    "required": ["inputs", "outputs"],
    "properties": _each(("inputs", "outputs", "post_processed_outputs"), ARGUMENTS),
}

VERSIONS = ("monai_version", "pytorch_version", "numpy_version")
DESCRIPTIONS = ("task", "description", "authors", "copyright")
OTHER_TEXTS = ("data_source", "data_type", "image_classes", "label_classes", "pred_classes", "intended_use")

METADATA: Rule = {
    "type": "object",
    "required": [
        *("schema", "version", *VERSIONS, "required_packages_version", *DESCRIPTIONS, "network_data_format"),
    ],
    "properties": {
        **_each(("schema", "version", *VERSIONS, *DESCRIPTIONS, *OTHER_TEXTS), TEXT),
        **_each(("changelog", "required_packages_version", "eval_metrics", "supported_apps"), OBJECT),
        "references": {"type": "array", "items": TEXT},
    },
    "patternProperties": {"^[_a-zA-Z0-9]+_data_format$": DATA_FORMAT},
}
