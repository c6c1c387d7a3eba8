"""Wheel and source distribution: built, compared with the commit, and tried in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ...datasets import InputError

TRIED = "guided_super_resolution_sanet"
"""Bundle that is tried; the weights of all are compared with the commit byte by byte."""

TRIAL = (
    ("simulate", "--output", "data", "--subjects", "1", "--spacing", "6"),
    ("predict", TRIED, "--dataset-dir", "data", "--output-dir", "results", "--no-viewer"),
)


def build(source: Path, output: Path, seconds: str) -> tuple[Path, Path]:
    """Build both from ``source``, the wheel from the source distribution.

    Args:
        source: folder with ``pyproject.toml``.
        output: folder for the files.
        seconds: time of the commit since 1970, which the entries get, so that a second build gives the same files.

    Returns:
        wheel and source distribution.
    """
    environment = os.environ | {"SOURCE_DATE_EPOCH": seconds}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), str(source)]
    run(command, source, environment)
    (wheel,), (sdist,) = output.glob("*.whl"), output.glob("*.tar.gz")
    return wheel, sdist


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a program in ``folder`` and return what it prints.

    Raises:
        InputError: if it fails; tells the last lines of what it printed.
    """
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        problem = " / ".join(done.stdout.strip().splitlines()[-5:])
        raise InputError.at(" ".join(command), f"ended with {done.returncode}: {problem}", "run it by hand to see more")
    return done.stdout


def compare_sdist(sdist: Path, source: Path) -> int:
    """Check that every file of ``source`` is in the source distribution as it is, and return their number.

    Raises:
        InputError: names the first that is not.
    """
    with tarfile.open(sdist) as archive:
        packed = {
            member.name.partition("/")[2]: reader.read()
            for member in archive.getmembers()
            if (reader := archive.extractfile(member)) is not None
        }
    return _compare(sdist, packed, _files(source))


def compare_wheel(wheel: Path, source: Path) -> int:
    """Check that every file of the bundles is in the wheel as it is, weights too, and return their number.

    Raises:
        InputError: names the first that is not.
    """
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    bundles = {f"mri_attention/bundles/{name}": file for name, file in _files(source / "bundles").items()}
    return _compare(wheel, packed, bundles)


def _files(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def _compare(archive: Path, packed: Mapping[str, bytes], expected: Mapping[str, Path]) -> int:
    for name, file in expected.items():
        if packed.get(name) != file.read_bytes():
            problem = f"{name} is {'another file' if name in packed else 'not in it'}"
            raise InputError.at(archive.name, problem, "see package-data in pyproject.toml, and MANIFEST.in")
    return len(expected)


def try_wheel(wheel: Path, constraints: Path, borrow: bool = False) -> str:
    """Install ``wheel`` in an empty environment, and simulate and predict there from an empty folder.

    Args:
        wheel: to try.
        constraints: versions of its dependencies.
        borrow: take the dependencies from the present environment, where all of them are, instead of downloading
            some gigabytes; then only what the wheel itself holds is tried.

    Returns:
        what the prediction printed.
    """
    with TemporaryDirectory() as name:
        folder, environment = Path(name) / "work", _clean_environment()
        folder.mkdir()
        run([sys.executable, "-m", "venv", str(Path(name) / "venv")], folder, environment)
        python = Path(name) / "venv" / "bin" / "python"
        pip = [
            str(python),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-compile",
            str(wheel.absolute()),
        ]
        if borrow:
            _lend_packages(python, folder, environment)
            run([*pip, "--no-deps"], folder, environment)
        else:
            run([*pip, *_torch_index(), "--constraint", str(constraints.absolute())], folder, environment)
        told = [run([str(python.with_name("mri-attention")), *words], folder, environment) for words in TRIAL]
        if not list((folder / "results").rglob("*_rec-sanet_T2w.nii.gz")):
            raise InputError.at(wheel.name, "predict wrote no image", "try it by hand")
        return told[-1]


def _torch_index() -> list[str]:
    """Return where pip looks beside PyPI: as for scripts/test, ``TORCH_INDEX_URL`` names another build of torch."""
    index = os.environ.get("TORCH_INDEX_URL")
    return ["--extra-index-url", index] if index else []


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _lend_packages(python: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Show the new environment the packages of the present one, of which no editable installation is followed."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run([str(python), "-c", code], folder, environment).strip())
    lent = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
