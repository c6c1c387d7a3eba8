"""Tests of what a guide changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri_attention.datasets import read_volume
from mri_attention.scripts.reports.guide_effect import (
    evaluation_without_guide,
    guide_effect_sections,
    write_guide_effects,
)
from mri_attention.scripts.running.evaluation import Evaluation
from mri_attention.scripts.running.written_files import Pictures
from tests.scripts.conftest import SHAPE, write_image

SPEC = Pictures("rec-net_T2w", "desc-reference_T2w", "desc-input_T2w", unguided="net_unguided")
HEAD = np.zeros(SHAPE, np.float32)
HEAD[4:-4, 4:-4, 2:-2] = 1


@pytest.fixture
def evaluations(tmp_path: Path) -> list[Evaluation]:
    """Where the truth is 2: 2.1 with a guide and 2.4 without."""
    guide = write_image(tmp_path / "sub-01_T1w.nii.gz", 3 * HEAD)
    cases = [{"subject": "sub-01", "session": "", "image": ["T2w", str(guide)]}]
    found = []
    for name, result in {"Net": 2.1, "net_unguided": 2.4}.items():
        folder, values = tmp_path / name, {"rec-net_T2w": result, "desc-reference_T2w": 2.0, "desc-input_T2w": 1.0}
        anat = folder / "sub-01" / "anat"
        files = [write_image(anat / f"sub-01_{suffix}.nii.gz", value * HEAD) for suffix, value in values.items()]
        found.append(Evaluation(name, cases, [{"psnr": 1.0}], folder, ["T2w", "T1w"], None, [files], pictures=SPEC))
    return found


def test_maps_are_guided_minus_unguided(evaluations: list[Evaluation], tmp_path: Path) -> None:
    (path,) = write_guide_effects(evaluations, tmp_path / "guidance")
    assert path == tmp_path / "guidance" / "sub-01" / "anat" / "sub-01_desc-guidance_T2w.nii.gz"
    np.testing.assert_allclose(read_volume(path)[0].numpy(), -0.3 * HEAD, atol=1e-6)


def test_section_tells_how_much_changed_and_what_came_closer(evaluations: list[Evaluation]) -> None:
    (section,) = guide_effect_sections(evaluations)
    assert section.tables[0].rows == [["sub-01", "15.00", "100.0"]]
    assert section.pictures[0].png.startswith(b"\x89PNG")
    assert "net_unguided" in section.paragraphs[0]
    (worse,) = guide_effect_sections(
        [replace(evaluations[1], network="Net"), replace(evaluations[0], network="net_unguided")]
    )
    assert worse.tables[0].rows == [["sub-01", "15.00", "0.0"]]


@pytest.mark.parametrize("spec", [None, replace(SPEC, unguided=None), replace(SPEC, unguided="other")])
def test_nothing_without_the_network_without_guide(
    spec: Pictures | None, evaluations: list[Evaluation], tmp_path: Path
) -> None:
    first = replace(evaluations[0], pictures=spec)
    assert evaluation_without_guide([first, evaluations[1]]) is None
    assert guide_effect_sections([first, evaluations[1]]) == []
    assert write_guide_effects([first, evaluations[1]], tmp_path / "guidance") == []
    assert not (tmp_path / "guidance").exists()
