"""Exact versions of the packages that code imports."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

from packaging.requirements import Requirement

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
ZOO_PYTHON = {"python_version": "3.10", "python_full_version": "3.10.0"}
"""What the model zoo's checks run on."""


def exact_versions(modules: Iterable[str]) -> dict[str, str]:
    """Return distribution and version of each top-level module.

    Versions are those that this project is tested with on the model zoo's Python 3.10, where its ``constraints.txt``
    is at hand, else those that are installed.
    """
    tested = _tested_versions()
    found = packages_distributions()
    wanted = {Requirement(line).name.lower() for line in requires("mri-attention") or []}
    names = {_preferred(found.get(module, [module]), wanted) for module in modules}
    return {name: tested.get(name.lower()) or version(name) for name in sorted(names, key=str.lower)}


def _preferred(distributions: list[str], wanted: set[str]) -> str:
    """Return what to install for a module: what this project asks for, where several distributions have it."""
    return next((name for name in distributions if name.lower() in wanted), distributions[0])


def _tested_versions() -> dict[str, str]:
    if not CONSTRAINTS.is_file():
        return {}
    lines = (line.partition("#")[0].strip() for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    pins = [Requirement(line) for line in lines if line]
    fitting = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(dict(ZOO_PYTHON))]
    return {pin.name.lower(): next(iter(pin.specifier)).version for pin in fitting}
