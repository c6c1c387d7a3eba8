"""MONAI's tracking of a run, and the record of its config, in which given values are text again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .given import as_text, is_given

if TYPE_CHECKING:
    from monai.bundle import ConfigParser, ConfigWorkflow

RECORD = "save_execute_config"
"""Id of the file in which MONAI keeps the config that was run."""


def follow(workflow: ConfigWorkflow, tracking: str) -> None:
    """Add to the configs what ``tracking`` wants: ``"mlflow"``, or a file of MONAI's settings for it."""
    from monai.bundle import ConfigParser
    from monai.bundle.utils import DEFAULT_EXP_MGMT_SETTINGS

    settings = DEFAULT_EXP_MGMT_SETTINGS.get(tracking) or ConfigParser.load_config_files(tracking)
    parser = workflow.parser
    record = parser.get(RECORD)
    parser[RECORD] = False  # MONAI would write it now, before all is set, and cannot write objects
    workflow.patch_bundle_tracking(parser=parser, settings=settings)
    parser[RECORD] = record


def write_record(parser: ConfigParser) -> None:
    """Write the config to the file that it names for that, if it does."""
    file = parser.get(RECORD)
    file = file["_target_"].value if is_given(file) else file
    if not isinstance(file, str):
        return
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    parser.export_config_file(as_text(parser.get()), file)
