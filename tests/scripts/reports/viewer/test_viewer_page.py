"""Tests of scripts.reports.viewer.viewer_page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri_attention.metrics.lesion_places import Lesion
from mri_attention.scripts.reports.viewer import Shown, ViewerPage, pack, viewer_page, write_page

NIIVUE_SHA256 = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
FOLDER = Path(viewer_page.__file__).parent


def page(**changes: object) -> ViewerPage:
    values = np.random.default_rng(0).random((12, 14, 10), np.float32)
    return replace(ViewerPage("sub-01", "found", np.eye(4), [Shown("T1w", values, (0, 1))]), **changes)


def written(folder: Path, **changes: object) -> str:
    return write_page(page(**changes), folder / "viewer.html").read_text(encoding="utf-8")


def test_niivue_is_the_file_that_was_published() -> None:
    content = gzip.decompress((FOLDER / "niivue.js.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == NIIVUE_SHA256
    assert NIIVUE_SHA256 in (FOLDER / "README.md").read_text()


def test_names_are_escaped(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>\"'&"
    images = [replace(page().images[0], name=evil, note=evil, unit=evil)]
    html = written(tmp_path, title=evil, finding=evil, images=images, files=[evil], facts={evil: evil})
    assert "alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_only_scripts_whose_sum_is_told_may_run(tmp_path: Path) -> None:
    html = written(tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    allowed = set(re.findall(r"sha256-[A-Za-z0-9+/=]+", policy[1].replace("&#39;", "'")))
    texts = [text for _, text in re.findall(r"<(script|style)>(.*?)</\1>", html, re.DOTALL)]
    sums = {"sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts}
    assert len(texts) == 3
    assert sums == allowed
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;;")


def test_licences_go_with_the_page(tmp_path: Path) -> None:
    assert "Copyright (c) 2021, Niivue" in written(tmp_path)


@pytest.mark.parametrize(
    ("lesion", "headings"),
    [
        (Lesion(1, 0.1, (1, 2, 3), "unknown", math.nan), ["No.", "ml", "Center (mm)"]),
        (Lesion(1, 0.1, (1, 2, 3), "juxtacortical", 0.7), ["No.", "ml", "Place", "Prob.", "Center (mm)"]),
    ],
    ids=["little", "all"],
)
def test_the_list_has_columns_for_what_is_known(lesion: Lesion, headings: list[str], tmp_path: Path) -> None:
    assert re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', written(tmp_path, lesions=[lesion])) == headings


def test_places_are_told_with_their_sides() -> None:
    assert viewer_page.place_text((-16.2, 4.0, -0.6)) == "L 16 A 4 I 1"


def test_no_lesions_are_told(tmp_path: Path) -> None:
    assert "None were found." in written(tmp_path, lesions=[])
    assert "<h2>Lesions" not in written(tmp_path)


def test_a_lower_resolution_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "averaged to one" not in written(tmp_path)
    monkeypatch.setattr(viewer_page, "pack", lambda volumes, affine: pack(volumes, affine, 1000))
    assert "2 x 2 x 2 voxels of the files are averaged to one" in written(tmp_path)
