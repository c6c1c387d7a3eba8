"""Tests of transforms.field_plausibility, and of the loading and saving that ask it."""

import logging
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from mri_attention.transforms import LoadContrastsd, LoadLocalFieldd, SaveSusceptibilityd
from mri_attention.transforms.field_plausibility import is_inverted, is_template_space, is_wrapped
from tests.transforms.heads import GRID, save


def header(code: int, shape: tuple[int, ...] = (9, 9, 9), form: str = "sform") -> nib.Nifti1Header:
    made = nib.Nifti1Header()
    made.set_data_shape(shape)
    getattr(made, f"set_{form}")(np.diag([-1.0, 1, 1, 1]), code)
    return made


@pytest.mark.parametrize("code", [3, 4, 5])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_codes_tell_of_a_template(code: int, form: str) -> None:
    assert is_template_space(header(code, form=form))


@pytest.mark.parametrize("code", [1, 2])
def test_other_codes_do_not_but_the_size_of_a_template_does(code: int) -> None:
    assert not is_template_space(header(code))
    assert is_template_space(header(code, (182, 218, 182)))


def phase(slope: float, wrap: bool = True) -> torch.Tensor:
    ramp = torch.linspace(-1, 1, 20)[None, :, None, None].expand(1, 20, 20, 20) * slope
    return torch.remainder(ramp + math.pi, 2 * math.pi) - math.pi if wrap else ramp


def test_jumps_within_two_pi_are_wraps() -> None:
    assert is_wrapped(phase(8))
    assert is_wrapped(phase(8) + math.pi)


def test_smooth_and_unwrapped_phase_has_none() -> None:
    assert not is_wrapped(phase(3))
    assert not is_wrapped(phase(8, wrap=False))
    masked = phase(3).clone()
    masked[:, :, 9] = 0
    assert not is_wrapped(masked)


def susceptibility() -> tuple[np.ndarray, np.ndarray]:
    """A brain with veins and a little calcification."""
    values = 0.02 * np.random.default_rng(0).normal(size=(30, 30, 30))
    values[10:13, 10:13, 10:20], values[20, 20, 20:22] = 0.3, -0.3
    mask = np.ones(values.shape, bool)
    values[:, :2] = -2  # errors at the border
    return values, mask


def test_veins_are_paramagnetic_with_the_right_sign() -> None:
    values, mask = susceptibility()
    assert not is_inverted(values, mask)
    assert is_inverted(-values, mask)


def test_too_few_voxels_and_none_but_one_value_tell_nothing() -> None:
    values, mask = susceptibility()
    assert not is_inverted(-values[8:14, 8:14, 8:14], mask[8:14, 8:14, 8:14])
    assert not is_inverted(np.ones((20, 20, 20)), np.ones((20, 20, 20)))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_map_with_the_other_sign_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, sign: int) -> None:
    values, mask = susceptibility()
    field = str(save(tmp_path / "sub-01_localfield.nii.gz", values.astype(np.float32), GRID))
    source = LoadContrastsd(contrasts=["localfield"], reference="localfield")({"image": [field]})["image"]
    pred = MetaTensor(sign * torch.from_numpy(values)[None].float(), affine=source.affine)
    data = {"image": source, "pred": pred, "brain": torch.from_numpy(mask)[None], "b0_direction": (0, 0, 1)}
    with caplog.at_level(logging.WARNING):
        SaveSusceptibilityd("pred", tmp_path / "out", "Chimap")(data)
    assert ("localfield.nii.gz: veins and basal ganglia come out diamagnetic" in caplog.text) == (sign < 0)


def load(values: np.ndarray, folder: Path, **options: Any) -> Any:
    return LoadLocalFieldd(**options)({"image": [str(save(folder / "field.nii.gz", values, GRID))]})


def test_invert_changes_the_sign_of_the_field(tmp_path: Path) -> None:
    values = (0.01 * np.random.default_rng(0).normal(size=(6, 6, 6))).astype(np.float32)
    found = load(values, tmp_path, invert=True)["image"].as_tensor()
    torch.testing.assert_close(found, -load(values, tmp_path)["image"].as_tensor())


def test_wrapped_phase_and_templates_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load(phase(8)[0].numpy(), tmp_path, field_unit="rad", b0=7, echo_time=0.05)
        assert "field.nii.gz: phase jumps by more than pi, it is likely wrapped; unwrap it" in caplog.text
        image = nib.load(tmp_path / "field.nii.gz")
        image.set_sform(GRID, 4)
        nib.save(nib.Nifti1Image(phase(3)[0].numpy() / 1000, None, image.header), tmp_path / "mni.nii.gz")
        LoadLocalFieldd()({"image": [str(tmp_path / "mni.nii.gz")]})
        assert "mni.nii.gz: lies in the space of a template" in caplog.text
        caplog.clear()
        LoadLocalFieldd(b0_direction="0,0,1")({"image": [str(tmp_path / "mni.nii.gz")]})
    assert not caplog.records
