"""Checks of a bundle's configs: whether they hold together, before anything is built."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from pydoc import ErrorDuringImport, locate
from typing import TYPE_CHECKING, Any

from ..running.built_bundle import BuiltBundle
from ..running.config_files import expressions, list_configs
from .outcome import Outcome, listed, passed, skipped, told, warned
from .security_report import free_names, parse_expression

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

BASES = (
    *((), ("train",), ("inference",), ("inference", "evaluate"), ("train", "evaluate")),
    *(("train", "multi_gpu_train"), ("train", "train_continual"), ("train", "train_continual", "evaluate")),
)
"""What an overlay may be laid over, some by the zoo's names."""

OWN = ("scripts", "mri_attention")
"""Packages that a bundle brings."""

FREE = ("keys", "mode", "allow_missing_keys", "_target_", "_disabled_", "prob")
"""Arguments of a transform that may differ between training, which has labels, and inference."""


def check_configs(bundle: BuiltBundle) -> Outcome:
    """Check that each config, and each overlay over what it belongs to, names only what is there."""
    files = list_configs(bundle.folder)
    problems: list[str] = []
    foreign: set[str] = set()
    for file in files:
        bases = [[bundle.config(name) for name in names] for names in BASES]
        ways = [[*base, file] for base in bases if all(base) and file not in base]
        found = _fewest(_problems(bundle, [p for p in way if p], foreign) for way in ways)
        if found:
            problems.append(f"{file.relative_to(bundle.folder)}: {listed(found, 3)}")
    if foreign and not problems:
        return warned(f"packages that are not installed here are named: {listed(sorted(foreign))}")
    return told(problems, f"{len(files)} configs and overlays parse, and all they refer to is there")


def _fewest(ways: Iterator[tuple[float, list[str]]]) -> list[str]:
    """Return the problems of the way that has the fewest; the first without any ends the search."""
    best: tuple[float, list[str]] = (math.inf, [])
    for way in ways:
        if way[0] < best[0] or not best[1]:
            best = way
        if not way[0]:
            break
    return best[1]


def _problems(bundle: BuiltBundle, files: list[Path], foreign: set[str]) -> tuple[float, list[str]]:
    """Return how bad the merged ``files`` are, and what is wrong; packages not installed here go into ``foreign``."""
    try:
        found = [*_unresolved(bundle.parser(*files), foreign)]
    except Exception as error:  # told to the user; MONAI raises many kinds
        return math.inf, [f"cannot be merged ({' '.join(str(error).split())[:160]})"]
    return len(found), found


def _unresolved(parser: ConfigParser, foreign: set[str]) -> Iterator[str]:
    """Yield what the content of ``parser`` names without having it."""
    from monai.bundle.reference_resolver import ReferenceResolver

    known = parser.ref_resolver.items
    yield from (
        f"@{name} is not there" for name in ReferenceResolver.find_refs_in_config(parser.get(), "") if name not in known
    )
    content = {name: value for name, value in parser.get().items() if name != "_meta_"}
    imported, missing = _imported(content)
    foreign |= {name for name in missing if _is_foreign(name)}
    yield from (f"import of {name} fails" for name in missing if not _is_foreign(name))
    yield from _missing_targets(parser, foreign)
    for place, text in expressions(content):
        unknown = free_names(parse_expression(text)) - imported - set(dir(builtins)) - {"_reference_"}
        yield from (f"{place} uses the unknown name {name}" for name in sorted(unknown))


def _imported(content: Any) -> tuple[set[str], list[str]]:
    """Return the names that expressions have from imports, and the imports that fail."""
    from monai.utils import optional_import

    names, missing = {"monai", "torch", "np", "numpy"}, []
    for _, text in expressions(content):
        for node in parse_expression(text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                alias = node.names[0]
                names.add((alias.asname or alias.name).partition(".")[0])
                module, name = (node.module, alias.name) if isinstance(node, ast.ImportFrom) else (alias.name, "")
                if not optional_import(str(module), name=name)[1]:
                    missing.append(f"{module}.{name}".rstrip("."))
    return names, missing


def _is_foreign(name: str) -> bool:
    """Tell whether ``name`` is of a package that is not installed here, and not one that bundles bring."""
    package = name.partition(".")[0]
    return package not in OWN and find_spec(package) is None


def _missing_targets(parser: ConfigParser, foreign: set[str]) -> Iterator[str]:
    from monai.bundle.config_item import ConfigComponent

    for place, item in parser.ref_resolver.items.items():
        if isinstance(item, ConfigComponent):
            target = item.get_config()["_target_"]
            if not isinstance(target, str) or target.startswith(("$", "@", "%")):
                continue
            if "." in target and _is_foreign(target):
                foreign.add(target.partition(".")[0])
                continue
            try:
                is_there = locate(str(item.resolve_module_name())) is not None
            except (ErrorDuringImport, ModuleNotFoundError) as error:
                yield f"{place}: {target} cannot be imported ({' '.join(str(error).split())[:120]})"
            else:
                yield from () if is_there else (f"{place}: no {target}",)


def check_required_ids(bundle: BuiltBundle) -> Outcome:
    """Check that what MONAI, MONAI Label and federated learning ask for has the expected ids."""
    from monai.bundle import ConfigWorkflow

    class Unbuilt(ConfigWorkflow):  # asks whether an id is there; building would need data
        def _get_property(self, name: str, property: dict[str, Any]) -> Any:  # noqa: A002 (MONAI's name)
            try:
                return self._get_prop_id(name, property)
            except KeyError as error:
                raise AttributeError(name) from error

        def _check_optional_id(self, name: str, property: dict[str, Any]) -> bool:  # noqa: A002
            try:
                return bool(super()._check_optional_id(name, property))
            except (AttributeError, TypeError):  # MONAI takes for granted that it finds a reference, not a number
                return True

    problems = []
    kinds = [
        (kind, file) for kind, name in (("infer", "inference"), ("train", "train")) if (file := bundle.config(name))
    ]
    for kind, file in kinds:
        workflow = Unbuilt(str(file), workflow_type=kind, logging_file=False)
        workflow.parser.set(_with_new_separators(workflow.parser.get()))
        problems += [f"{file.name}: {name}" for name in workflow.check_properties() or []]
    if problems:
        return warned(f"MONAI's workflows, MONAI Label and federated learning look for {listed(problems)}")
    return passed(f"all that MONAI asks for in {' and '.join(file.name for _, file in kinds)}")


def _with_new_separators(content: Any) -> Any:
    """Return ``content`` with ``@a::b`` for ``@a#b``, as MONAI reads it when it parses."""
    if isinstance(content, dict):
        return {name: _with_new_separators(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_new_separators(value) for value in content]
    return content.replace("#", "::") if isinstance(content, str) and content.startswith(("@", "%")) else content


def check_agreement(bundle: BuiltBundle) -> Outcome:
    """Check that training and inference have the same network, contrasts, spacing and deterministic preprocessing."""
    train, inference = bundle.train, bundle.inference
    if train is None or inference is None:
        return skipped("needs both a train and an inference config")
    names = [name for name in ("network_def", "contrasts", "spacing") if name in train and name in inference]
    if differing := [name for name in names if _plain(train, train[name]) != _plain(inference, inference[name])]:
        return warned(f"train and inference differ in {', '.join(differing)}")
    differing = [name for name, args in _transforms(inference) if not _has_same(train, name, args)]
    if differing:
        return warned(f"preprocessing has other arguments in training: {', '.join(differing)}")
    return passed(f"same {', '.join(names) or 'preprocessing'}")


def _has_same(train: ConfigParser, name: str, arguments: dict[str, Any]) -> bool:
    """Tell whether training has the transform with the same arguments, or has it not at all."""
    others = [other for found, other in _transforms(train, "train") if found == name]
    shared = [{key: (arguments[key], other[key]) for key in arguments.keys() & other.keys()} for other in others]
    return not others or any(all(a == b for a, b in pairs.values()) for pairs in shared)


def _transforms(parser: ConfigParser, root: str = "preprocessing") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and plain arguments of the transforms below ``root``."""
    from monai.bundle.config_item import ConfigComponent

    for place, item in parser.ref_resolver.items.items():
        if place.startswith(f"{root}::") and isinstance(item, ConfigComponent):
            config = item.get_config()
            name = str(config["_target_"]).rpartition(".")[2]
            if name.endswith("d") and not name.startswith(("Load", "Rand", "Save")):
                yield name, {k: _plain(parser, v) for k, v in config.items() if k not in FREE}


def _plain(parser: ConfigParser, value: Any) -> Any:
    """Return ``value`` with references replaced by what they refer to."""
    if isinstance(value, dict):
        return {key: _plain(parser, v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(parser, v) for v in value]
    if isinstance(value, str) and value.startswith("@") and value[1:] in parser:
        return _plain(parser, parser[value[1:]])
    return value
