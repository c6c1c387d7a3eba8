"""Exact versions of the packages that code imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ZOO_VERSIONS = Path(__file__).with_name("zoo_versions.txt")
"""The lines of ``constraints.txt`` that hold on the Python of the model zoo's checks, installed with this module."""

ZOO_PYTHON = {"python_version": "3.10", "python_full_version": "3.10.0"}


def exact_versions(modules: Iterable[str]) -> dict[str, str]:
    """Return distribution and version of each top-level module.

    Versions are those that this project is tested with on the model zoo's Python 3.10; of a package that it is not
    tested with, the installed one.
    """
    tested = _tested_versions()
    found = packages_distributions()
    wanted = {Requirement(line).name.lower() for line in requires("mri-attention") or []}
    names = {_preferred(found.get(module, [module]), wanted) for module in modules}
    return {name: tested.get(name.lower()) or version(name) for name in sorted(names, key=str.lower)}


def _preferred(distributions: list[str], wanted: set[str]) -> str:
    """Return what to install for a module: what this project asks for, where several distributions have it."""
    return next((name for name in distributions if name.lower() in wanted), distributions[0])


def without_doubles(found: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return one list of both, in which ``PyYAML`` and ``pyyaml`` are one package; those of ``given`` win."""
    packages = {canonicalize_name(name): (name, version) for name, version in [*found.items(), *given.items()]}
    return dict(sorted(packages.values(), key=lambda package: package[0].lower()))


def zoo_versions(constraints: str) -> list[str]:
    """Return the pins of the text of a ``constraints.txt`` that hold on the model zoo's Python."""
    lines = (line.partition("#")[0].strip() for line in constraints.splitlines())
    pins = [Requirement(line) for line in lines if line]
    fitting = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(dict(ZOO_PYTHON))]
    return [f"{pin.name}{pin.specifier}" for pin in fitting]


def _tested_versions() -> dict[str, str]:
    pins = [Requirement(line) for line in ZOO_VERSIONS.read_text(encoding="utf-8").splitlines()]
    return {pin.name.lower(): next(iter(pin.specifier)).version for pin in pins}
