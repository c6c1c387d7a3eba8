"""Tests of the documentation: links, examples that work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from mri_attention.networks.blocks import ATTENTION
from tests.helpers import assert_gradients_flow, features, with_open_gates
from tests.markdown import LINK, PAGES, anchors, linked, prose
from tests.scripts.conftest import run_command, tiny_dataset

__all__ = ["run_command", "tiny_dataset"]

Run = Callable[..., int]

ROOT = Path(__file__).resolve().parents[1]
EXTENDING = (ROOT / "docs" / "extending.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, place in LINK.findall(page.read_text()):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if place:
            assert place in anchors(file), place


def test_modules_named_to_contributors_are_there() -> None:
    paths = [
        str(file.relative_to(ROOT))
        for room in (
            "datasets",
            "handlers",
            "losses",
            "metrics",
            "networks",
            "operators",
            "scripts",
            "simulation",
            "tests",
            "transforms",
        )
        for file in (ROOT / room).rglob("*.py")
    ]
    named = re.findall(r"`([\w/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert named
    assert [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in paths)] == []


def test_every_page_is_two_links_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").resolve()
    near = linked(index)
    assert near >= {page for page in PAGES if page.parent == index.parent} - {index}
    far = near.union(*(linked(page) for page in near if page.suffix == ".md"))
    assert {page for page in PAGES if page.parent != ROOT} - {index} <= far


CARDS = sorted(ROOT.glob("bundles/*/docs/README.md"))


@pytest.mark.parametrize("page", CARDS, ids=lambda p: p.parents[1].name)
def test_cards_are_short(page: Path) -> None:
    assert len(prose(page.read_text()).split()) <= 700


def test_prose_is_what_a_person_reads() -> None:
    page = "# Title\n\nIt has <!-- = a/b/c/d -->0.5<!-- --> of **[all](page.md#place)**.\n\n| a | b |\n|---|---|\n"
    code = "\n```\nrun it\n```\n![A head](a.png)\n"
    assert " ".join(prose(page + code).split()) == "Title It has 0.5 of [all]. ![A head]"


def test_the_front_page_is_read_in_minutes() -> None:
    assert len(prose((ROOT / "README.md").read_text()).split()) <= 900


def blocks(language: str, page: str = EXTENDING) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The bundle that the page makes, after all of its code has run there."""
    folder = tmp_path / "flair_estimation"
    for part in ("configs", "docs", "models"):
        (folder / part).mkdir(parents=True)
    (config,), (metadata,) = blocks("yaml"), blocks("json")
    (folder / "configs" / "inference.yaml").write_text(config)
    (folder / "configs" / "metadata.json").write_text(metadata)
    (folder / "LICENSE").write_text("Apache-2.0")
    (folder / "docs" / "README.md").write_text("# An example")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(ATTENTION, "components", dict(ATTENTION.components))
    names: dict[str, object] = {}
    for code in blocks("python"):
        exec(compile(code, "extending.md", "exec"), names)
    monkeypatch.chdir(tmp_path)
    yield folder
    assert "voxel_gate" in ATTENTION.names


@pytest.mark.parametrize("shape", [(2, 8, 5, 6), (2, 8, 5, 6, 7)], ids=str)
def test_the_block_of_the_page_is_one(shape: tuple[int, ...], example: Path) -> None:
    x = features(*shape)
    torch.testing.assert_close(ATTENTION["voxel_gate"](8, len(shape) - 2)(x), x)
    assert_gradients_flow(with_open_gates(ATTENTION["voxel_gate"](8, len(shape) - 2)), x)
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 1"):
        ATTENTION["voxel_gate"](8, 1)


def test_the_bundle_of_the_page_passes_the_checks_and_predicts(
    example: Path, run_command: Run, tiny_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("check", example.name) == 0
    assert "PASS  weights" in capsys.readouterr().out
    assert run_command("predict", example.name, "--dataset-dir", tiny_dataset, "--output-dir", "results") == 0
    assert len(list(Path("results").rglob("*_desc-estimated_FLAIR.nii.gz"))) == 2
    assert os.listdir(example / "models") == ["model.pt"]  # noqa: PTH208


def test_the_notebook_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python", (ROOT / "docs" / "notebook.md").read_text())
    names: dict[str, object] = {}
    exec(compile(code, "notebook.md", "exec"), names)
    assert len(list(tmp_path.glob("predictions/sub-*"))) == 2
    assert list(tmp_path.rglob("one/sub-001/anat/*_rec-sanet_T2w.nii.gz"))
