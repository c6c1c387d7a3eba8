"""The command ``export``: a bundle that runs without this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..datasets import InputError
from .running.bundle import Bundle
from .running.outputs import require_empty, staged
from .terminal.console import announce, console


def export(
    bundle: Annotated[str, typer.Argument(help="Name of a bundle, or its folder.")],
    output: Annotated[Path, typer.Option(help="Folder for NAME/, NAME_vVERSION.zip and its SHA-256.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="Write models/model.onnx too.")] = False,
) -> None:
    """Write BUNDLE with the code that it uses, for the model zoo, MONAI Label and colleagues."""
    found = Bundle.find(bundle)
    source, archive = found.folder, f"{found.name}_v{found.metadata.get('version', '0')}.zip"
    require_empty(output / source.name)
    for name in (archive, f"{archive}.sha256"):
        if (output / name).exists():
            raise InputError.at(output / name, "is there already", "choose another output folder, or remove it")
    announce(f"Exporting {source.name}")
    from ..handlers.weights import sha256
    from .exports.exported_bundle import write_bundle
    from .exports.reproducible_zip import write_zip

    with staged(output) as stage:
        (stage / source.name).mkdir()
        code = write_bundle(source, stage / source.name, with_onnx=onnx)
        write_zip(stage / archive, stage / source.name)
        digest = sha256(stage / archive)
        (stage / f"{archive}.sha256").write_text(f"{digest}  {archive}\n", encoding="utf-8")
        files = sorted(p.name for p in (stage / source.name / "models").iterdir())
    console().print(f"{output / source.name}: {len(code.modules)} modules, {', '.join(files)}")
    console().print(f"{output / archive}: SHA-256 {digest}")
