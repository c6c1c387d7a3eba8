"""A MONAI bundle: its folder, metadata, configs, and the code that exported ones bring."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets import InputError
from .config_files import SUFFIXES, list_configs

if TYPE_CHECKING:
    from typing_extensions import Self

BUNDLES = Path(__file__).parents[2] / "bundles"
"""Where the bundles lie, beside ``scripts`` in the checkout and in the installed package alike."""


@dataclass(frozen=True)
class Bundle:
    """A bundle in a folder.

    Attributes:
        folder: holds ``configs`` and ``models``.

    Example:
        >>> Bundle.find("ms_lesion_segmentation_fanet").name
        'ms_lesion_segmentation_fanet'
    """

    folder: Path

    @classmethod
    def find(cls, bundle: str | Path) -> Self:
        """Return ``bundle``, which is a name under ``bundles/`` or a path.

        Raises:
            InputError: if neither exists, or the folder has no ``configs/metadata.json``.
        """
        for folder in (Path(bundle), BUNDLES / bundle):
            if (folder / "configs" / "metadata.json").is_file():
                return cls(folder.resolve())
        known = ", ".join(sorted(p.parents[1].name for p in BUNDLES.glob("*/configs/metadata.json")))
        raise InputError.at(bundle, "no such bundle", f"give a bundle's folder, or one of: {known or 'none found'}")

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The content of ``configs/metadata.json``.

        Raises:
            InputError: if it cannot be read, or holds no names and values.
        """
        file = self.folder / "configs" / "metadata.json"
        try:
            metadata = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError.at(
                file, f"cannot be read ({error})", "correct its syntax, or get the bundle anew"
            ) from error
        if not isinstance(metadata, dict):
            raise InputError.at(file, "holds no names and values", "get the bundle anew")
        return metadata

    @property
    def version(self) -> str:
        """The version that the metadata tell."""
        return str(self.metadata.get("version", "unknown"))

    def config(self, name: str) -> Path | None:
        """Return the file ``configs/NAME.yaml`` (or ``.json``), else the config file of which ``name`` is the path."""
        files = (self.folder / "configs" / f"{name.removesuffix(suffix)}{suffix}" for suffix in SUFFIXES)
        given = [Path(name).absolute()] if name.endswith(SUFFIXES) else []
        return next((file for file in [*files, *given] if file.is_file()), None)

    def config_files(self, names: Sequence[str]) -> list[Path]:
        """Return the files of configs in the order of ``names``.

        Raises:
            InputError: if one is missing; names those that exist.
        """
        files = []
        for name in names:
            if (file := self.config(name)) is None:
                configs = self.folder / "configs"
                known = sorted({str(p.relative_to(configs).with_suffix("")) for p in list_configs(self.folder)})
                raise InputError.at(self.name, f"no config '{name}'", f"choose among {', '.join(known)}")
            files.append(file)
        return files


@contextmanager
def code_of(folder: Path) -> Iterator[None]:
    """Make the package ``scripts`` of the bundle in ``folder`` the one that is imported, and forget it afterwards."""
    _forget_scripts()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = [path for path in sys.path if path != str(folder)]
        _forget_scripts()


def _forget_scripts() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "scripts"]:
        del sys.modules[name]
