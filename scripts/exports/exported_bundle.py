"""A bundle with its own code, for people who do not have this package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ...datasets import InputError
from ...handlers.weights import read_weights, sha256, verify_shipped
from ..running.bundle import Bundle
from ..running.config_files import list_configs, read_config, targets
from .exported_configs import EXPORTED, exported_configs, json_configs, monailabel_configs, reached_names, renamed
from .package_versions import exact_versions, without_doubles
from .reached_code import ReachedCode

ROOT = Path(__file__).parents[2]
COMMANDS = ("fire", "ignite", "yaml")
"""Packages that ``python -m monai.bundle`` itself needs for a bundle in YAML with engines."""

HANDLERS = {"TensorBoardStatsHandler": "tensorboard", "TensorBoardImageHandler": "tensorboard", "ProgressBar": "tqdm"}
"""Packages behind what MONAI and ignite import on demand."""

_FAR_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?:\.\./)+([\w./-]+)(?:#[\w-]+)?\)")
"""A link to a page that does not travel with the bundle."""

_PICTURE = re.compile(r"\]\(((?:\.\./)+[\w./-]+\.(?:png|jpg|svg))\)")


def write_bundle(bundle: Path, folder: Path, *, with_onnx: bool = False) -> ReachedCode:
    """Write ``bundle`` with the code that its configs reach, as the package ``scripts``, into the new ``folder``.

    Args:
        bundle: folder of the bundle.
        folder: new, of its name.
        with_onnx: write the network as ``models/model.onnx`` too.

    Raises:
        InputError: if it lacks an inference config, a license or weights, these are not those of its metadata, or a
            config cannot be exported, or the network not as ONNX.
    """
    Bundle(bundle).config_files(["inference"])
    code = ReachedCode(ROOT)
    for name in sorted(reached_names(bundle)):
        code.follow(name)
    _write_texts(folder, exported_configs(bundle))
    _write_texts(folder, json_configs(folder) | monailabel_configs(folder))
    _write_texts(folder / EXPORTED, {path: renamed(text) for path, text in code.files().items()})
    _write_documents(bundle, folder)
    _write_weights(bundle, folder)
    if with_onnx:
        _write_onnx(bundle, folder / "models" / "model.onnx")
    hashes = {f"models/{file.name}": sha256(file) for file in sorted((folder / "models").iterdir())}
    metadata = Bundle(bundle).metadata | {"weights_sha256": hashes}
    _add_versions(metadata, code, folder)
    _write_texts(folder, {"configs/metadata.json": json.dumps(metadata, indent=2, ensure_ascii=False) + "\n"})
    return code


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise InputError.at(file, "not there, but a bundle needs it to be shared", "add it, or finish training first")
    return file


def _write_texts(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _add_versions(metadata: dict[str, Any], code: ReachedCode, folder: Path) -> None:
    """Complete the one list of packages that MONAI reads; versions that the metadata tell already stay."""
    own = {"torch", "monai", "numpy"}  # have fields of their own
    needed = {HANDLERS[name] for name in _target_classes(folder) & set(HANDLERS)}
    if "--tracking mlflow" in (folder / "docs" / "README.md").read_text(encoding="utf-8"):
        needed.add("mlflow")
    found = exact_versions((code.required | code.optional | needed | set(COMMANDS)) - own)
    given = metadata.pop("optional_packages_version", {}) | metadata.get("required_packages_version", {})
    metadata["required_packages_version"] = without_doubles(found, given)


def _target_classes(folder: Path) -> set[str]:
    return {name.rpartition(".")[2] for file in list_configs(folder) for _, name in targets(read_config(file))}


def _write_documents(bundle: Path, folder: Path) -> None:
    _write_texts(folder, {"LICENSE": _existing(bundle / "LICENSE").read_text(encoding="utf-8")})
    for file in sorted(p for p in (bundle / "docs").rglob("*") if p.is_file()):
        target = folder / file.relative_to(bundle)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    for file in sorted((bundle / "configs").glob("*.conf")):
        (folder / "configs" / file.name).write_bytes(file.read_bytes())
    readme = _existing(bundle / "docs" / "README.md")
    text = readme.read_text(encoding="utf-8")
    for link in set(_PICTURE.findall(text)):
        picture = _existing((readme.parent / link).resolve())
        (folder / "docs" / picture.name).write_bytes(picture.read_bytes())
        text = text.replace(f"]({link})", f"]({picture.name})")
    text = _FAR_LINK.sub(r"\1 (`\2` of MRI Attention)", text)
    _write_texts(folder, {"docs/README.md": text.rstrip("\n") + "\n" + _about(Bundle(bundle).metadata)})


def _about(metadata: dict[str, Any]) -> str:
    return f"""
## **This copy**

Version {metadata["version"]}, exported from MRI Attention with the code that its configs use, in `{EXPORTED}/`.
It needs the packages in `configs/metadata.json` and not that project; where this text says `mri-attention`, it means
that project's command.

- `python -m monai.bundle run ...` finds the code from any working directory. `verify_net_in_out`, `ckpt_export` and
  `onnx_export` do not add the bundle's folder to the search path: set `PYTHONPATH` to it.
- Every bundle's code is a package `{EXPORTED}`, and Python keeps the first one that it imported. MONAI Label drops it
  between bundles. In a program of your own do so before the second bundle:
  `for name in [n for n in sys.modules if n.partition(".")[0] == "{EXPORTED}"]: del sys.modules[name]`
"""


def _write_weights(bundle: Path, folder: Path) -> None:
    """Copy the weights, and write them as safetensors too."""
    from safetensors.torch import save

    _existing(bundle / "models" / "model.pt")
    (folder / "models").mkdir()
    for source in sorted((bundle / "models").glob("*.pt")):
        verify_shipped(source)
        copy = folder / "models" / source.name
        copy.write_bytes(source.read_bytes())
        tensors = {name: value.contiguous().clone() for name, value in read_weights(source).items()}
        copy.with_suffix(".safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))


def _write_onnx(bundle: Path, file: Path) -> None:
    from ..running.built_bundle import BuiltBundle
    from ..running.bundle import code_of
    from .onnx_export import missing_packages, write_onnx

    if missing := missing_packages():
        raise InputError.at("--onnx", f"needs the packages {', '.join(missing)}", "pip install 'mri-attention[share]'")
    with code_of(bundle):
        try:
            write_onnx(BuiltBundle(bundle), file)
        except RuntimeError as error:
            raise InputError.at(bundle.name, f"cannot be written as ONNX ({error})", "leave --onnx out") from error
