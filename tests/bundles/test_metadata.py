"""The metadata of every bundle."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import verify_metadata

from mri_attention.scripts.checks.files import check_metadata
from mri_attention.scripts.checks.metadata_rules import METADATA

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob("bundles/*/configs/metadata.json"))

each_bundle = pytest.mark.parametrize("file", FILES, ids=[file.parents[1].name for file in FILES])


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@each_bundle
def test_meets_the_specification(file: Path, tmp_path: Path) -> None:
    """With the schema at hand, MONAI's command downloads none."""
    (tmp_path / "schema.json").write_text(json.dumps(METADATA))
    verify_metadata(str(file), filepath=str(tmp_path / "schema.json"))


@pytest.mark.parametrize("key", METADATA["required"])
def test_a_missing_key_is_noticed(key: str, tmp_path: Path) -> None:
    content = read(FILES[0])
    del content[key]
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(content))
    assert f"'{key}' is a required property" in check_metadata(tmp_path).reason


@each_bundle
def test_channels_have_a_meaning_each(file: Path) -> None:
    for tensors in read(file)["network_data_format"].values():
        for tensor in tensors.values():
            assert list(tensor["channel_def"]) == [str(channel) for channel in range(tensor["num_channels"])]


@each_bundle
def test_the_version_is_in_the_changelog(file: Path) -> None:
    content = read(file)
    assert content["version"] in content["changelog"]


@each_bundle
def test_versions_of_packages_are_those_that_are_tested(file: Path) -> None:
    pins = set(re.findall(r"^([\w-]+==[\w.]+)", (ROOT / "constraints.txt").read_text().lower(), re.MULTILINE))
    content = read(file)
    named = {"monai": content["monai_version"], "torch": content["pytorch_version"], "numpy": content["numpy_version"]}
    asked = named | content["required_packages_version"]
    assert {f"{name}=={version}".lower() for name, version in asked.items()} <= pins


@each_bundle
def test_ships_what_a_bundle_needs(file: Path) -> None:
    bundle = file.parents[1]
    for name in ("LICENSE", "configs/inference.yaml", "configs/train.yaml", "docs/README.md", "docs/data_license.txt"):
        assert (bundle / name).is_file(), name


HEADINGS = """### **Authors**
### **Tags**
## **Model Description**
## **Data**
### **Preprocessing**
## **Performance**
## **Commands**
## **System Configuration**
## **Limitations**
## **License**
## **Citation and references**"""


@each_bundle
def test_page_has_the_headings_of_the_zoo(file: Path) -> None:
    lines = (file.parents[1] / "docs" / "README.md").read_text().splitlines()
    assert [heading for heading in HEADINGS.splitlines() if heading not in lines] == []
