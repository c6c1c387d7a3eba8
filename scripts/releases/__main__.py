"""What ``scripts/release`` runs: a release from checkout to files, each step told in a line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ...datasets import InputError
from ...handlers.weights import sha256
from ..exports.exported_bundle import write_bundle
from ..exports.reproducible_zip import write_zip
from ..running.bundle import Bundle
from ..running.outputs import require_empty, staged
from ..terminal.console import console, exit_with
from .checkout import copy_commit, git, notes_of, require_releasable, set_version
from .distributions import build, compare_sdist, compare_wheel, try_wheel
from .hub_cards import write_hub_repository
from .zoo_files import write_pull_request, write_zoo_bundle

SUMS = "SHA256SUMS"


def release(
    version: Annotated[str, typer.Argument(help="Such as 0.2.0, of which CHANGELOG.md tells.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make all files, but change, commit and tag nothing.")
    ] = False,
    output: Annotated[Path, typer.Option(help="New or empty folder for all files.")] = Path("dist"),
    borrow: Annotated[
        bool, typer.Option("--borrow", help="Try the wheel with the packages that are installed, without downloads.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Where the files of OUTPUT will be found.")] = None,
) -> None:
    """Build VERSION, try it, and write everything that is published of it; then commit and tag it."""
    root, day = Path.cwd(), date.today()
    require_empty(output)
    require_releasable(root, version, may_be_tagged=dry_run)
    with TemporaryDirectory() as name, staged(output) as made:  # refused before the work, if it cannot be written
        source = Path(name) / "source"
        copy_commit(root, source)
        set_version(source, version, day)
        _make_distributions(source, made, git(root, "log", "-1", "--format=%ct"), borrow)
        _make_bundles(source, made, Path(name) / "exported", url)
        (made / "NOTES.md").write_text(notes_of(source, version) + "\n", encoding="utf-8")
    tell(f"All files are in {output}")
    if dry_run:
        tell(f"Dry run: nothing was changed, committed or tagged. Without --dry-run, this makes the tag v{version}.")
        return
    changed = set_version(root, version, day)
    git(root, "add", *(str(file) for file in changed))
    git(root, "commit", "--allow-empty", "--message", f"Release {version}")
    git(root, "tag", "--annotate", f"v{version}", "--message", f"MRI Attention {version}")
    tell(f"Committed and tagged as v{version}: git push origin HEAD v{version}")


def tell(line: str) -> None:
    """Print a line at once."""
    console().print(line)
    sys.stdout.flush()


def _make_distributions(source: Path, made: Path, seconds: str, borrow: bool) -> None:
    with TemporaryDirectory() as name:  # what building leaves behind is no part of the commit
        copy = shutil.copytree(source, Path(name) / "source")
        wheel, sdist = build(copy, made, seconds)
    n_files, n_bundled = compare_sdist(sdist, source), compare_wheel(wheel, source)
    tell(f"{sdist.name}: all {n_files} files of the commit; {wheel.name}: all {n_bundled} files of the bundles")
    try_wheel(wheel, source / "constraints.txt", borrow)
    tell(f"{wheel.name}: predicts in an {'otherwise ' if borrow else ''}empty environment")


def _make_bundles(source: Path, made: Path, exported: Path, url: str | None) -> None:
    folders, archives = [], []
    for bundle in sorted(path.parents[1] for path in source.glob("bundles/*/models/model.pt")):
        folder = exported / bundle.name
        folder.mkdir(parents=True)
        write_bundle(bundle, folder)
        require_sound(folder)
        archives.append(made / f"{bundle.name}_v{Bundle(folder).metadata['version']}.zip")
        write_zip(archives[-1], folder)
        write_hub_repository(folder, made / "hugging_face" / folder.name)
        folders.append(write_zoo_bundle(folder, made / "model_zoo", url))
        tell(f"{archives[-1].name}: exported, and its files for Hugging Face and the model zoo")
    write_pull_request(made / "model_zoo", folders, archives, url)
    write_sums(made / SUMS, sorted(file for file in made.iterdir() if file.is_file()))


def require_sound(folder: Path) -> None:
    """Check what can be told of an exported bundle by reading it.

    Raises:
        InputError: names the first check that fails.
    """
    from ..checks.all_checks import READING

    for name, check in READING.items():
        outcome = check(folder)
        if outcome.status == "FAIL":
            raise InputError.at(folder.name, f"{name}: {outcome.reason}", f"see mri-attention check {folder.name}")


def write_sums(file: Path, files: Sequence[Path]) -> None:
    """Write the SHA-256 of each of ``files``, as ``sha256sum --check`` reads them."""
    lines = [f"{sha256(each)}  {each.name}\n" for each in files]
    file.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Run the command; a mistake ends with one line and exit code 2."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(release)
    try:
        app(prog_name="scripts/release", standalone_mode=False)
    except Exception as error:
        exit_with(error, {})


if __name__ == "__main__":
    main()
