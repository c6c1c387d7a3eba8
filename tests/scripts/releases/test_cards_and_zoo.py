"""Tests of scripts.releases: cards for Hugging Face, and the files of a pull request to the model zoo."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mri_attention.datasets import InputError
from mri_attention.scripts.releases.hub_cards import hub_card, write_hub_repository
from mri_attention.scripts.releases.zoo_files import model_info, write_pull_request, write_zoo_bundle

PAGE = """# Marker

### **Tags**

Segmentation, MR, Brain, Multiple sclerosis

![One](one.png) [code](https://a.b) [data](data_license.txt) [below](#tags) [far](../../x.md)
"""


def bundle(folder: Path, output_format: str = "segmentation") -> Path:
    metadata: dict[str, Any] = {"version": "0.1.0", "changelog": {"0.1.0": "first"}, "task": "Mark voxels"}
    metadata["network_data_format"] = {"outputs": {"pred": {"format": output_format}}}
    for part in ("configs", "docs", "models"):
        (folder / part).mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (folder / "docs" / "README.md").write_text(PAGE)
    (folder / "models" / "model.pt").write_bytes(b"weights")
    return folder


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return bundle(tmp_path / "marker")


def fields(card: str) -> dict[str, Any]:
    start, header, _ = card.split("---\n", 2)
    assert start == ""
    content: dict[str, Any] = yaml.safe_load(header)
    return content


def test_a_card_begins_with_what_the_hub_reads(exported: Path) -> None:
    assert fields(hub_card(exported)) == {
        "license": "apache-2.0",
        "library_name": "monai",
        "pipeline_tag": "image-segmentation",
        "tags": ["monai", "medical", "segmentation", "mr", "brain", "multiple-sclerosis"],
    }


def test_images_make_images(tmp_path: Path) -> None:
    assert fields(hub_card(bundle(tmp_path / "other", "magnitude")))["pipeline_tag"] == "image-to-image"


def test_pictures_of_the_card_are_found_from_the_top_of_the_repository(exported: Path, tmp_path: Path) -> None:
    card = write_hub_repository(exported, tmp_path / "hub" / "marker").read_text()
    assert "![One](docs/one.png) [code](https://a.b) [data](docs/data_license.txt) [below](#tags)" in card
    assert (tmp_path / "hub" / "marker" / "models" / "model.pt").read_bytes() == b"weights"


def test_a_page_without_tags_is_refused(exported: Path) -> None:
    (exported / "docs" / "README.md").write_text("# Marker\n")
    with pytest.raises(InputError, match=r"has no heading Tags"):
        hub_card(exported)


def test_the_zoo_gets_the_bundle_and_a_test_of_it(exported: Path, tmp_path: Path) -> None:
    folder = write_zoo_bundle(exported, tmp_path / "zoo", None)
    assert folder == tmp_path / "zoo" / "models" / "marker"
    assert (folder / "models" / "model.pt").read_bytes() == b"weights"
    assert not (folder / "large_files.yml").exists()
    test = (tmp_path / "zoo" / "ci" / "unit_tests" / "test_marker.py").read_text()
    assert "TestMarker" in [node.name for node in ast.parse(test).body if isinstance(node, ast.ClassDef)]
    assert 'os.path.join("models", "marker")' in test


def test_large_files_come_from_elsewhere(exported: Path, tmp_path: Path) -> None:
    (exported / "models" / "model.pt").write_bytes(b"x" * 2000)
    folder = write_zoo_bundle(exported, tmp_path / "zoo", "https://a.b/c/", max_bytes=1000)
    assert yaml.safe_load((folder / "large_files.yml").read_text()) == {
        "large_files": [
            {
                "path": "models/model.pt",
                "url": "https://a.b/c/marker/models/model.pt",
                "hash_val": hashlib.sha256(b"x" * 2000).hexdigest(),
                "hash_type": "sha256",
            }
        ]
    }
    assert not (folder / "models" / "model.pt").exists()


def test_large_files_without_an_address_are_refused(exported: Path, tmp_path: Path) -> None:
    (exported / "models" / "model.pt").write_bytes(b"x" * 2000)
    with pytest.raises(InputError, match=r"marker/models/model.pt: is larger than the model zoo takes; give --url"):
        write_zoo_bundle(exported, tmp_path / "zoo", None, max_bytes=1000)


def test_entries_of_the_zoos_list_have_its_form(exported: Path, tmp_path: Path) -> None:
    archive = tmp_path / "marker_v0.1.0.zip"
    archive.write_bytes(b"abc")
    expected = {"checksum": "a9993e364706816aba3e25717850c26c9cd0d89d", "source": "https://a.b/marker_v0.1.0.zip"}
    assert model_info([archive], "https://a.b") == {"marker_v0.1.0": expected}
    zoo = tmp_path / "zoo"
    folder = write_zoo_bundle(exported, zoo, None)
    write_pull_request(zoo, [folder], [archive], "https://a.b")
    assert json.loads((zoo / "model_info_entries.json").read_text()) == {"marker_v0.1.0": expected}
    assert "| `marker` | 0.1.0 | Mark voxels |" in (zoo / "PULL_REQUEST.md").read_text()
