"""Finding a MONAI bundle by name or path, and building its workflows with overlays and overrides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError
from ..terminal.console import is_debugging, silence_loggers

if TYPE_CHECKING:
    from monai.bundle import ConfigParser, ConfigWorkflow

TRAINER, VALIDATOR = "train::trainer", "validate::evaluator"
"""Ids of the engines, as MONAI wants them in every bundle."""

BUNDLES = Path(__file__).parents[2] / "bundles"
"""Where the bundles lie, beside ``scripts`` in the checkout and in the installed package alike."""


def find_bundle(bundle: str) -> Path:
    """Return the folder of ``bundle``, which is a name under ``bundles/`` or a path.

    Raises:
        InputError: if neither exists, or the folder has no ``configs/metadata.json``.
    """
    for folder in (Path(bundle), BUNDLES / bundle):
        if (folder / "configs" / "metadata.json").is_file():
            return folder.resolve()
    known = ", ".join(sorted(p.parents[1].name for p in BUNDLES.glob("*/configs/metadata.json")))
    raise InputError.at(bundle, "no such bundle", f"give a bundle's folder, or one of: {known or 'none found'}")


def read_metadata(bundle: Path) -> dict[str, Any]:
    """Return the content of the bundle's ``configs/metadata.json``."""
    metadata: dict[str, Any] = json.loads((bundle / "configs" / "metadata.json").read_text())
    return metadata


def find_configs(bundle: Path, names: Sequence[str]) -> list[Path]:
    """Return the files ``configs/NAME.yaml`` (or ``.json``) of ``bundle`` in the order of ``names``.

    Raises:
        InputError: if one is missing; names those that exist.
    """
    return [_find_config(bundle / "configs", name) for name in names]


def _find_config(configs: Path, name: str) -> Path:
    for suffix in (".yaml", ".yml", ".json"):
        if (file := configs / f"{name.removesuffix(suffix)}{suffix}").is_file():
            return file
    files = (p.relative_to(configs) for p in configs.rglob("*.*") if p.suffix in (".yaml", ".yml", ".json"))
    known = ", ".join(sorted({str(p.with_suffix("")) for p in files} - {"metadata"}))
    raise InputError.at(configs.parent.name, f"no config '{name}'", f"choose among {known}")


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """Read ``--id value``, ``--id=value`` and ``--flag`` as ``python -m monai.bundle run`` does.

    Values are Python literals where they can be (``5``, ``[1,2]``, ``None``), else text.

    Raises:
        InputError: if an argument is not preceded by its ``--id``.
    """
    from fire.parser import DefaultParseValue

    overrides: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, has_value, value = option.removeprefix("--").partition("=")
        if not option.startswith("--") or not name:
            raise InputError.at(option, "an override needs a name", "write -- --train::trainer::max_epochs 5")
        if has_value:
            overrides[name] = DefaultParseValue(value)
        elif rest and not rest[0].startswith("--"):
            overrides[name] = DefaultParseValue(rest.pop(0))
        else:
            overrides[name] = True
    return overrides


def read_value(bundle: Path, configs: Sequence[str], overrides: dict[str, Any], name: str) -> Any:
    """Return the value of one id of ``configs``, merged in order and with ``overrides``, without building the rest.

    Raises:
        InputError: if a config or the id is missing.
    """
    parser = merged_config(bundle, configs, overrides)
    if name not in parser:
        raise InputError.at(f"{bundle.name} ({', '.join(configs)})", f"has no '{name}'", f"add {name} to its config")
    return parser.get_parsed_content(name)


def known_settings(bundle: Path, configs: Sequence[str], settings: dict[str, Any]) -> dict[str, Any]:
    """Return ``settings``, ids of ``configs`` each.

    Raises:
        InputError: if a config has not one of them, which would have no effect then.
    """
    if settings:
        parser = merged_config(bundle, configs, {})
        if unknown := [name for name in settings if name not in parser]:
            option = f"--{unknown[0].replace('_', '-')}"
            raise InputError.at(option, f"has no meaning for {bundle.name}", "leave it out, or choose another bundle")
    return settings


def merged_config(bundle: Path, configs: Sequence[str], overrides: dict[str, Any]) -> ConfigParser:
    """Return ``configs`` merged in order and with those of ``overrides``, unresolved."""
    files = [str(file) for file in find_configs(bundle, configs)]
    from monai.bundle import ConfigParser

    silence_loggers()
    parser = ConfigParser()
    parser.read_config(files)
    parser.update({"bundle_root": str(bundle), **overrides})
    return parser


def build_workflow(
    bundle: Path,
    configs: Sequence[str],
    overrides: dict[str, Any],
    *,
    workflow_type: str,
    tracking: str | None = None,
) -> ConfigWorkflow:
    """Build and initialize MONAI's ``ConfigWorkflow`` of ``configs``, merged in order.

    Args:
        bundle: folder of the bundle; becomes ``bundle_root``.
        configs: names as in :func:`find_configs`, such as ``("train", "quickstart")``.
        overrides: config ids and values, applied last.
        workflow_type: ``"train"`` or ``"infer"``, as in MONAI.
        tracking: ``"mlflow"`` or a settings file, as in MONAI.

    Raises:
        InputError: if a config is missing.
    """
    files = [str(file) for file in find_configs(bundle, configs)]
    from monai.bundle import ConfigWorkflow

    silence_loggers()
    workflow = ConfigWorkflow(
        config_file=files,
        workflow_type=workflow_type,
        tracking=tracking,
        logging_file=None if is_debugging() else False,
        **{"bundle_root": str(bundle), **overrides},
    )
    workflow.initialize()
    return workflow


def run_workflow(workflow: ConfigWorkflow) -> None:
    """Run ``workflow``, with its progress at the terminal, and what its config wants done afterwards."""
    from ..terminal.progress import show_progress

    parser = workflow.parser
    if workflow.get_workflow_type() == "train":
        label, engine, describe = "training", parser.get_parsed_content(TRAINER), lambda: _describe_training(parser)
    else:
        label, engine, describe = "cases", parser.get_parsed_content("evaluator"), str
    silence_loggers()  # of handlers, which exist by now
    with show_progress(engine, label, describe):
        workflow.run()
    workflow.finalize()


def _describe_training(parser: ConfigParser) -> str:
    """Tell epoch and loss, and the best validation so far where there is one."""
    state = parser.get_parsed_content(TRAINER).state
    text = f"epoch {state.epoch}/{state.max_epochs}, loss {state.output[0]['loss']:.3f}"
    if VALIDATOR in parser:
        best = parser.get_parsed_content(VALIDATOR).state
        if getattr(best, "best_metric_epoch", -1) > 0:
            text += f", best {best.key_metric_name} {best.best_metric:.3f} (epoch {best.best_metric_epoch})"
    return text


@dataclass(frozen=True)
class Pictures:
    """Which of the images that a workflow writes belong together in a picture, as its config's ``pictures`` tells.

    Attributes:
        result: BIDS suffix of the network's image.
        reference: of the truth.
        input: of what the network got.
        window: gray values of black and white, None for the reference's range.
        error_window: difference shown at full color, None for a fifth of the window.
        unit: of the gray values.
        unguided: overlay of the network without guide, with which the result is compared where it is evaluated too.
    """

    result: str
    reference: str
    input: str
    window: tuple[float, float] | None = None
    error_window: float | None = None
    unit: str = ""
    unguided: str | None = None


def read_pictures(parser: ConfigParser) -> Pictures | None:
    """Return the config's ``pictures``, None where it has none."""
    return Pictures(**parser.get_parsed_content("pictures")) if "pictures" in parser else None


def network_name(workflow: ConfigWorkflow) -> str:
    """Return the class name of the ``network_def`` of ``workflow``, such as ``FANet``; of what it wraps, if it does."""
    definition = workflow.parser.get("network_def")
    while isinstance(definition, dict) and isinstance(definition.get("network"), dict):
        definition = definition["network"]
    if isinstance(definition, dict) and "_target_" in definition:
        return str(definition["_target_"]).rpartition(".")[2]
    return "network"
