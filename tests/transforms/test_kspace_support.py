"""The support of an image's k-space, found and told."""

from __future__ import annotations

import logging

import pytest
import torch
from monai.data import MetaTensor

from mri_attention.operators import image_to_kspace
from mri_attention.transforms import KspaceSupportd
from tests.operators.test_kspace_noise import disks
from tests.operators.test_kspace_support import zero_filled


def test_support_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    image = MetaTensor(zero_filled(disks(), 64)[None, None].abs(), meta={"filename_or_obj": "sub-01_T2w.nii.gz"})
    out = KspaceSupportd("label")({"label": image})
    assert 0.5 <= out["support"][0] < 0.65
    assert out["support"][1] == 1
    assert caplog.text.count("sub-01_T2w.nii.gz: its k-space is empty beyond") == 1
    caplog.clear()
    assert KspaceSupportd("label")({"label": disks()[None, None]})["support"] == (1, 1)
    assert not caplog.text
    assert KspaceSupportd("label", allow_missing_keys=True)({"image": image_to_kspace(image)}).keys() == {"image"}


def test_support_of_planes_of_a_volume_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    planes = zero_filled(disks(), 64).abs()
    both = torch.stack([planes, disks()])[..., None].expand(-1, -1, -1, 3)
    image = MetaTensor(both, meta={"filename_or_obj": "sub-01_T2w.nii.gz"})
    out = KspaceSupportd("image", of_volumes=True, axis=2)({"image": image})
    assert 0.5 <= out["support"][0] < 0.65
    assert out["support"][1] == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "sub-01_T2w.nii.gz: it was interpolated" in record.getMessage()
    assert "pixels as they were acquired" in record.getMessage()
