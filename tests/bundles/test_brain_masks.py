"""Bundles that look at heads make a brain mask where they are told to, and the mask is written and drawn."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from mri_attention.datasets import Case
from mri_attention.scripts.reports.overviews import write_overview
from mri_attention.scripts.running.prediction import Prediction
from mri_attention.transforms import brain_extraction
from tests.bundles.bundle_configs import BundleConfigs
from tests.transforms.skulls import ball, save_head

MS, SANET = BundleConfigs("ms_lesion_segmentation_fanet"), BundleConfigs("guided_super_resolution_sanet")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a ball in the place of deepbet's network."""
    monkeypatch.setattr(brain_extraction, "find_brain", lambda image, device: ball(image))
    monkeypatch.setattr(brain_extraction, "require_deepbet", lambda: None)


def case(folder: Path, *contrasts: str, skull: bool = True) -> dict[str, Any]:
    files = [str(save_head(folder / f"sub-01_{contrast}.nii.gz", skull)) for contrast in contrasts]
    return {"subject": "sub-01", "session": "", "image": files}


def test_lesions_are_looked_for_in_the_brain_alone(
    stand_in: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    head = case(tmp_path / "in", "T1w", "T2w", "FLAIR")
    MS.infer(tmp_path / "out", cases=[head], brain_extraction=True, threshold=0.0, grow=False, **MS.tiny)
    anat = tmp_path / "out" / "sub-01" / "anat"
    mask, image = nib.load(anat / "sub-01_desc-brain_mask.nii.gz"), nib.load(head["image"][-1])
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(mask.dataobj), ball(np.zeros(image.shape)))
    assert not [record for record in caplog.records if "its skull" in record.getMessage()]


def test_a_skull_without_mask_is_told_once_for_a_case(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for skull in (False, True):
        head = case(tmp_path / f"in{skull}", "T1w", "T2w", "FLAIR", skull=skull)
        MS.infer(tmp_path / f"out{skull}", cases=[head], **MS.tiny)
        told = [record.getMessage() for record in caplog.records if "its skull" in record.getMessage()]
        assert len(told) == skull
    assert not list((tmp_path / "outTrue").rglob("*brain_mask*"))


def test_super_resolution_has_the_mask_on_the_fine_grid(stand_in: None, tmp_path: Path) -> None:
    head = case(tmp_path / "in", "T2w", "T1w")
    SANET.infer(tmp_path / "out", cases=[head], brain_extraction=True, slice_axis=2, **SANET.tiny)
    anat = tmp_path / "out" / "sub-01" / "anat"
    mask, image = (nib.load(anat / f"sub-01_{name}.nii.gz") for name in ("res-fine_desc-brain_mask", "rec-sanet_T2w"))
    assert mask.shape == image.shape == (120, 120, 44)
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert not np.asarray(image.dataobj)[np.asarray(mask.dataobj) == 0].any()


@pytest.mark.parametrize("result", ["label-lesion_mask", "rec-sanet_T2w"])
def test_the_outline_of_the_mask_is_drawn(result: str, tmp_path: Path) -> None:
    image = save_head(tmp_path / "sub-01_FLAIR.nii.gz")
    files = [save_head(tmp_path / f"sub-01_{name}.nii.gz", skull=False) for name in ("desc-brain_mask", result)]
    pictures = []
    for written in (files, files[1:]):
        told = write_overview(Prediction(Case("sub-01", image=[str(image)]), written))
        assert told is not None
        assert told[1].name == ("sub-01_overview.png" if "lesion" in result else "sub-01_rec-sanet_overview.png")
        pictures.append(told[1].read_bytes())
    assert pictures[0] != pictures[1]
