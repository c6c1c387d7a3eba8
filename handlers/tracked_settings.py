"""What MLflow is to know of a training beside its curves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from monai.handlers import MLFlowHandler

from .whole_files import unwrapped

LONGEST = 500
"""Characters of a parameter."""

_UNEVALUATED = re.compile(r"(?P<folder>.+) \+ '(?P<file>/config_\d+_\d+\.json)'")
"""The record of the config where ``output_dir`` is no expression: MONAI appends to its text as if it were one."""


class TrackedSettings:
    """Complete the run that MONAI's ``MLFlowHandler`` opens, where tracking is on.

    Its parameters are the settings of the training, name and version of the bundle, number of cases and
    ``data_fingerprint``, the SHA-256 of names and sizes of their files. A run that goes on keeps those of its start.
    Without ``run_name`` it is named after the network. The config that was run becomes an artifact.

    Args:
        settings: numbers, words, and lists of cases under ``dataset_dir``.
        bundle_root: folder of the bundle.
    """

    def __init__(self, settings: Mapping[str, Any], bundle_root: Path | str) -> None:
        self.settings = settings
        self.bundle_root = Path(bundle_root)

    def attach(self, engine: Engine) -> None:
        """Follow the trainer ``engine``, after the handlers that it was built with."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Log what a run of this start does not have yet."""
        for handler, *_ in engine._event_handlers[Events.STARTED]:
            tracker: Any = getattr(handler, "__self__", None)
            if not (isinstance(tracker, MLFlowHandler) and tracker.cur_run):
                continue
            tracker.artifacts = tuple(map(_evaluated, tracker.artifacts))
            run = tracker.client.get_run(tracker.cur_run.info.run_id)
            if tracker.run_name is None and hasattr(engine, "network"):
                tracker.client.update_run(run.info.run_id, name=_name(engine.network))
            for name, value in self.parameters().items():
                if name not in run.data.params:
                    tracker.client.log_param(run.info.run_id, name, value)

    def parameters(self) -> dict[str, str]:
        """Return name and text of each parameter."""
        cases = self.settings.get("dataset_dir") or []
        values = {name: value for name, value in self.settings.items() if name != "dataset_dir"}
        values |= {
            "bundle": self.bundle_root.resolve().name,
            "n_cases": len(cases),
            "data_fingerprint": fingerprint(cases),
        }
        file = self.bundle_root / "configs" / "metadata.json"
        if file.is_file():
            values["bundle_version"] = json.loads(file.read_text(encoding="utf-8")).get("version")
        return {name: str(value)[:LONGEST] for name, value in values.items()}


def _name(network: Any) -> str:
    """Return the class of the network, of the inner one where it is wrapped."""
    network = unwrapped(network)
    return type(getattr(network, "network", network)).__name__


def _evaluated(artifact: Any) -> Any:
    match = _UNEVALUATED.fullmatch(artifact) if isinstance(artifact, str) else None
    return match["folder"] + match["file"] if match else artifact


def fingerprint(cases: Any) -> str:
    """Return the SHA-256 of nested ``cases``, in which a file stands for its name and size, in hexadecimal digits."""

    def told(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): told(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [told(inner) for inner in value]
        is_file = isinstance(value, str | Path) and Path(value).is_file()
        return [Path(value).name, Path(value).stat().st_size] if is_file else str(value)

    return hashlib.sha256(json.dumps(told(cases), sort_keys=True).encode()).hexdigest()
