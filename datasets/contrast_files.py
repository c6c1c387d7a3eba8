"""Which file is which contrast of a case, and which contrasts are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .file_names import stem_and_suffix, stem_of
from .input_error import InputError


def contrast_paths(value: Any, contrasts: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Path]:
    """Name the path of each contrast that is there.

    Args:
        value: a list in the order of ``contrasts``, None for one that is missing; fewer paths, each named by its
            contrast as in ``sub-01_FLAIR.nii.gz``; a dictionary; or one path, beside which the others are found.
        contrasts: names of all, in order.
        optional: those that may be missing.

    Raises:
        InputError: if another one is missing, or it cannot be told which path is which contrast.
    """
    if isinstance(value, Mapping):
        return _named(value, contrasts, optional)
    paths = [value] if isinstance(value, (str, Path)) else list(value)
    if len(paths) == 1 and len(contrasts) > 1:
        return _siblings(Path(paths[0]), contrasts, optional)
    if len(paths) != len(contrasts):
        return _by_suffix(paths, contrasts, optional)
    return _named(dict(zip(contrasts, paths, strict=True)), contrasts, optional)


def in_order(paths: Mapping[str, Path | str], contrasts: Sequence[str]) -> list[str | None]:
    """List a path for each contrast, None for those that are missing."""
    return [str(paths[name]) if name in paths else None for name in contrasts]


def _named(files: Mapping[str, Any], contrasts: Sequence[str], optional: Sequence[str]) -> dict[str, Path]:
    paths = {name: Path(files[name]) for name in contrasts if files.get(name) is not None}
    missing = [name for name in contrasts if name not in paths]
    if required := [name for name in missing if name not in optional]:
        remedy = f"give `image` for every contrast{_but(optional)}"
        raise InputError.at("image", f"no {', '.join(required)} given", remedy)
    if missing and (others := [str(name) for name in files if name not in contrasts]):
        problem = f"holds {', '.join(others)}, and no {', '.join(missing)}"
        raise InputError.at("image", problem, f"name contrasts {', '.join(contrasts)}, or leave the others out")
    return paths


def _but(optional: Sequence[str]) -> str:
    return f"; only {', '.join(optional)} may be missing" if optional else ""


def _by_suffix(paths: Sequence[Any], contrasts: Sequence[str], optional: Sequence[str]) -> dict[str, Path]:
    """Tell fewer paths than there are contrasts by their names."""
    files = {contrast_of(path, contrasts): path for path in paths if path is not None}
    if not optional or None in files or len(files) < len(paths):
        listed = ", ".join(map(str, paths))
        order = f"give one file per contrast, in the order {', '.join(contrasts)}"
        remedy = f"{order}, or fewer whose names end with _CONTRAST" if optional else order
        raise InputError.at(listed, f"{len(paths)} images for {len(contrasts)} contrasts", remedy)
    return _named({str(name): path for name, path in files.items()}, contrasts, optional)


def contrast_of(path: Path | str, contrasts: Sequence[str]) -> str | None:
    """Return the contrast with which the name of a file ends; None where it tells none."""
    stem = stem_of(path)
    return next((name for name in contrasts if f"_{stem}".endswith(f"_{name}")), None)


def _siblings(path: Path, contrasts: Sequence[str], optional: Sequence[str]) -> dict[str, Path]:
    stem, suffix = stem_and_suffix(path)
    own = next((name for name in contrasts if stem.endswith(f"_{name}")), None)
    if own is None:
        remedy = f"end its name with one of {', '.join('_' + name for name in contrasts)}, or give every contrast"
        raise InputError.at(path, "one file, whose name does not tell its contrast", remedy)
    names = {name: f"{stem.removesuffix(own)}{name}{suffix}" for name in contrasts}
    folders = [path.parent, *([path.resolve().parent] if optional and path.is_symlink() else [])]
    found = {name: [folder / file for folder in folders if (folder / file).exists()] for name, file in names.items()}
    if missing := [name for name in contrasts if not found[name] and name not in optional]:
        problem = f"no {', '.join(missing)} image beside it"
        raise InputError.at(path, problem, f"add {', '.join(names[name] for name in missing)}")
    return {name: files[0] for name, files in found.items() if files}


def names_to_leave_out(leave_out: Sequence[str] | str, optional: Sequence[str]) -> list[str]:
    """Read what a config has as ``leave_out``: names, or text of names joined by ``+``.

    Raises:
        InputError: if one of them is not among ``optional``.
    """
    names = [name for name in leave_out.split("+") if name] if isinstance(leave_out, str) else list(leave_out)
    if unknown := [name for name in names if name not in optional]:
        remedy = f"choose among {', '.join(optional)}" if optional else "leave it out"
        raise InputError.at(f"`leave_out` {unknown[0]}", "is no contrast that may be missing", remedy)
    return names
