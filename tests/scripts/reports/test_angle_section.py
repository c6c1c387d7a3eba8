"""Tests of the error by angle in reports on susceptibility maps."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import InputError
from mri_attention.metrics import errors_by_angle
from mri_attention.scripts.reports.angle_section import angle_curves, angle_section, write_angle_curves
from mri_attention.scripts.running.evaluation import Evaluation
from mri_attention.scripts.running.written_files import Pictures

SPEC = Pictures("Chimap", "desc-reference_Chimap", "desc-input_localfield")
AFFINE = np.array([[0, 0, 2.0, -9], [-1.0, 0, 0, 5], [0, 1.5, 0, -4], [0, 0, 0, 1]])  # voxel axes are not the world's
SIZE, DIRECTION = (1.0, 1.5, 2.0), (0.0, 0.6, 0.8)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Maps of two heads, wrong by noise, one of them with a direction in its sidecar."""
    rng, files = np.random.default_rng(0), []
    for subject in ("sub-01", "sub-02"):
        anat = tmp_path / subject
        anat.mkdir()
        truth = np.zeros((14, 12, 10), np.float32)
        truth[2:-2, 2:-2, 2:-2] = rng.normal(0, 0.05, (10, 8, 6))
        noise = rng.normal(0, 0.02, truth.shape) * (truth != 0)
        names = {"Chimap": truth + noise, "desc-reference_Chimap": truth}
        files.append([anat / f"{subject}_{suffix}.nii.gz" for suffix in names])
        for path, values in zip(files[-1], names.values(), strict=True):
            nib.save(nib.Nifti1Image(values.astype(np.float32), AFFINE), path)
    sidecar = files[0][0].with_name("sub-01_Chimap.json")
    sidecar.write_text(json.dumps({"B0Direction": DIRECTION}))
    cases = [{"subject": subject, "session": "", "image": []} for subject in ("sub-01", "sub-02")]
    return Evaluation("Net", cases, [{}, {}], tmp_path, ["localfield"], None, files, pictures=SPEC)


def test_curves_are_those_of_maps_with_a_direction_in_their_voxel_axes(evaluation: Evaluation) -> None:
    result, reference = (np.asarray(nib.load(path).dataobj, float) for path in evaluation.files[0])
    curves = angle_curves([evaluation, replace(evaluation, network="none", pictures=None)])
    assert list(curves) == ["Net"]
    assert list(curves["Net"]) == ["sub-01"]
    expected = errors_by_angle(result, reference, SIZE, DIRECTION, reference != 0)
    np.testing.assert_allclose(curves["Net"]["sub-01"], expected, rtol=1e-5)


def test_values_lie_in_a_table(evaluation: Evaluation, tmp_path: Path) -> None:
    curves = angle_curves([evaluation])
    curves["Net"]["sub-01"][3] = np.nan
    write_angle_curves(curves, tmp_path / "angles.csv")
    with (tmp_path / "angles.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    assert rows[3] == {"network": "Net", "case": "sub-01", "angle_from": "6", "angle_to": "8", "error_percent": ""}
    assert float(rows[30]["error_percent"]) == pytest.approx(curves["Net"]["sub-01"][30], rel=1e-5)


def test_section_has_a_picture_of_all_networks(evaluation: Evaluation) -> None:
    one = angle_curves([evaluation])["Net"]
    (section,) = angle_section({f"Net{number}": one for number in range(5)})
    assert section.pictures[0].png.startswith(b"\x89PNG")
    assert "mean over" not in section.paragraphs[0]
    (section,) = angle_section({"Net": one | {"sub-02": one["sub-01"]}})
    assert "mean over 2 cases" in section.paragraphs[0]


def test_nothing_without_a_sidecar(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "sub-01" / "sub-01_Chimap.json").unlink()
    assert angle_curves([evaluation]) == {}
    assert angle_section({}) == []
    write_angle_curves({}, tmp_path / "angles.csv")
    assert not (tmp_path / "angles.csv").exists()


def test_a_sidecar_with_another_direction_is_refused(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "sub-01" / "sub-01_Chimap.json").write_text(json.dumps({"B0Direction": "up"}))
    with pytest.raises(InputError, match="is no direction"):
        angle_curves([evaluation])
