"""The metadata of every bundle."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import verify_metadata

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path(__file__).with_name("metadata_schema.json")
METADATA = sorted(ROOT.glob("bundles/*/configs/metadata.json"))
REQUIRED = json.loads(SCHEMA.read_text())["required"]

each_bundle = pytest.mark.parametrize("file", METADATA, ids=[file.parents[1].name for file in METADATA])


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@each_bundle
def test_meets_the_specification(file: Path) -> None:
    """With the schema at hand, MONAI's command downloads none."""
    verify_metadata(str(file), filepath=str(SCHEMA))


@pytest.mark.parametrize("key", [key for key in REQUIRED if key != "schema"])
def test_a_missing_key_is_noticed(key: str, tmp_path: Path) -> None:
    content = read(METADATA[0])
    del content[key]
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"'{key}' is a required property"):
        verify_metadata(str(tmp_path / "metadata.json"), filepath=str(SCHEMA))


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
