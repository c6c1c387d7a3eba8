"""What a pull request to MONAI's model zoo holds for a bundle, and what is told with it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ...datasets import InputError
from ...handlers.weights import sha256
from ..checks.files import MAX_BYTES
from ..running.bundle import Bundle

UNIT_TEST = """# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#     http://www.apache.org/licenses/LICENSE-2.0
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

import os
import unittest

import torch
from monai.bundle import ConfigWorkflow
from parameterized import parameterized

BUNDLE_ROOT = os.path.join("models", "{name}")
TEST_CASES = [["train", "train.json"], ["infer", "inference.json"]]


class Test{title}(unittest.TestCase):
    @parameterized.expand(TEST_CASES)
    def test_config(self, workflow_type, config):
        workflow = ConfigWorkflow(
            workflow_type=workflow_type,
            config_file=os.path.join(BUNDLE_ROOT, "configs", config),
            logging_file=os.path.join(BUNDLE_ROOT, "configs", "logging.conf"),
            meta_file=os.path.join(BUNDLE_ROOT, "configs", "metadata.json"),
            bundle_root=BUNDLE_ROOT,
        )
        workflow.initialize()
        self.assertFalse(workflow.check_properties())
        network = workflow.parser.get_parsed_content("network_def")
        weights = torch.load(os.path.join(BUNDLE_ROOT, "models", "model.pt"), weights_only=True)
        network.load_state_dict(weights.get("model", weights))


if __name__ == "__main__":
    unittest.main()
"""


def write_zoo_bundle(exported: Path, zoo: Path, url: str | None, max_bytes: int = MAX_BYTES) -> Path:
    """Write ``models/NAME`` and ``ci/unit_tests/test_NAME.py`` below ``zoo``, and return the former.

    Args:
        exported: an exported bundle.
        zoo: folder in the form of the zoo's repository.
        url: where the bundle's files will lie in a folder of its name, for those that are too large for the zoo.
        max_bytes: size of a file that the zoo takes.

    Raises:
        InputError: if a file is too large and there is no ``url``.
    """
    folder = zoo / "models" / exported.name
    shutil.copytree(exported, folder)
    entries = [_large_file(file, folder, url) for file in _files(folder) if file.stat().st_size > max_bytes]
    if entries:
        text = yaml.safe_dump({"large_files": entries}, sort_keys=False)
        (folder / "large_files.yml").write_text(text, encoding="utf-8")
    test = zoo / "ci" / "unit_tests" / f"test_{exported.name}.py"
    test.parent.mkdir(parents=True, exist_ok=True)
    title = "".join(word.capitalize() for word in exported.name.split("_"))
    test.write_text(UNIT_TEST.replace("{name}", exported.name).replace("{title}", title), encoding="utf-8")
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _large_file(file: Path, folder: Path, url: str | None) -> dict[str, str]:
    """Take the file away and return its entry in ``large_files.yml``."""
    path = file.relative_to(folder).as_posix()
    if url is None:
        remedy = "give --url, the address of the folder in which it will lie"
        raise InputError.at(f"{folder.name}/{path}", "is larger than the model zoo takes", remedy)
    entry = {
        "path": path,
        "url": f"{url.rstrip('/')}/{folder.name}/{path}",
        "hash_val": sha256(file),
        "hash_type": "sha256",
    }
    file.unlink()
    return entry


def model_info(archives: Sequence[Path], url: str | None) -> dict[str, dict[str, str]]:
    """Return the entries of the zoo's ``models/model_info.json``: SHA-1 and address of each archive by its name.

    The zoo adds them itself after a merge and refuses a pull request that has them already.
    """
    return {
        archive.stem: {
            "checksum": hashlib.sha1(archive.read_bytes(), usedforsecurity=False).hexdigest(),
            "source": f"{url.rstrip('/')}/{archive.name}" if url else archive.name,
        }
        for archive in archives
    }


def write_pull_request(zoo: Path, bundles: Sequence[Path], archives: Sequence[Path], url: str | None) -> None:
    """Write the entries for ``model_info.json`` and the text of the pull request beside ``models`` and ``ci``."""
    entries = json.dumps(model_info(archives, url), indent=4)
    (zoo / "model_info_entries.json").write_text(entries + "\n", encoding="utf-8")
    rows = [_row(folder.name, Bundle(folder).metadata) for folder in bundles]
    text = PULL_REQUEST.replace("{rows}", "\n".join(rows))
    (zoo / "PULL_REQUEST.md").write_text(text, encoding="utf-8")


def _row(name: str, metadata: Mapping[str, Any]) -> str:
    return f"| `{name}` | {metadata['version']} | {metadata['task']} |"


PULL_REQUEST = """# Add bundles for brain MR images: MS lesions, susceptibility, reconstruction, super-resolution

| bundle | version | task |
|---|---|---|
{rows}

Copy `models/` and `ci/` over a branch of the model zoo. `model_info_entries.json` is no part of the pull request, since
the zoo writes its `model_info.json` itself after the merge.

- Each bundle brings its code as `scripts/`, its license, and `docs/data_license.txt`; weights load with
  `weights_only=True`.
- All packages are in `required_packages_version`, with exact versions for Python 3.10.
- `verify_metadata`, `verify_net_in_out` on `network_def` with `configs/inference.json`, and `ckpt_export` pass,
  without an exclusion in `ci/bundle_custom_data.py`. TensorRT was not tried.
- Unit tests check the properties of `train.json` and `inference.json` and that the weights fit strictly. They need
  no data.
"""
