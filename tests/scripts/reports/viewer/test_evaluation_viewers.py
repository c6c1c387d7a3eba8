"""Tests of scripts.reports.viewer.evaluation_viewers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from mri_attention.scripts.reports.viewer import write_viewers
from mri_attention.scripts.running.evaluation import Evaluation
from mri_attention.scripts.running.written_files import Pictures

PICTURES = Pictures("rec-net_T2w", "desc-reference_T2w", "desc-input_T2w", window=(0.0, 1.0), unit="a.u.")


def write(path: Path, seed: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    values = np.random.default_rng(seed).uniform(0.5, 1, (14, 12, 10)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)
    return path


def evaluation(network: str, folder: Path, pictures: Pictures | None = PICTURES) -> Evaluation:
    suffixes = ("rec-net_T2w", "desc-reference_T2w", "desc-input_T2w")
    files = [write(folder / network / f"sub-01_{suffix}.nii.gz", seed) for seed, suffix in enumerate(suffixes)]
    images = [str(write(folder / f"sub-01_{name}.nii.gz", seed)) for seed, name in enumerate(("T1w", "T2w"), 7)]
    case: dict[str, Any] = {"subject": "sub/01", "session": "", "image": images}
    return Evaluation(network, [case], [{"psnr": 31.0}], folder, ["T1w", "T2w"], None, [files], pictures=pictures)


def images_of(page: Path) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/json" id="case">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return list(json.loads(found[1])["images"])


def test_results_of_all_networks_lie_beside_the_truth(tmp_path: Path) -> None:
    networks = [evaluation("Net", tmp_path), evaluation("other", tmp_path)]
    pages = write_viewers(networks, tmp_path / "viewers")
    assert pages == {"1: sub/01": tmp_path / "viewers" / "1_sub-01_viewer.html"}
    images = images_of(pages["1: sub/01"])
    assert [image["name"] for image in images] == ["Net", "Net minus reference", "other", "input", "reference", "T1w"]
    assert [image["window"] for image in images[2:5]] == [[0, 1]] * 3
    assert images[1]["colors"] == "difference"
    assert "PSNR (dB): Net 31" in pages["1: sub/01"].read_text("utf-8")


def test_cases_without_images_have_no_page(tmp_path: Path) -> None:
    assert write_viewers([evaluation("Net", tmp_path, None)], tmp_path / "viewers") == {}
    assert not (tmp_path / "viewers").exists()
