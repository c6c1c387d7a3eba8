"""Tests of transforms.alignment: what lies apart is moved, what lies close stays, what is doubtful is told."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.spatial.transform import Rotation

from mri_attention.datasets.input_error import InputError
from mri_attention.transforms import alignment
from mri_attention.transforms.alignment import Alignment, Register, align, as_json
from mri_attention.transforms.registration import QUICK, THOROUGH
from mri_attention.transforms.rigid_motion import RigidMotion
from tests.transforms.ellipsoid_heads import CENTER, FIXED_GRID, MOVING_GRID, head, motion_matrix

SHIFTED = ((0.0, 0.0, 0.0), (0.0, 2.0, 1.0))


@cache
def fixed() -> MetaTensor:
    return named(head(FIXED_GRID, (69, 89, 61), 0, np.eye(4)), "sub-01_FLAIR.nii.gz")


@cache
def moving(angles: tuple[float, ...] = (0, 0, 0), shift: tuple[float, ...] = (0, 0, 0)) -> MetaTensor:
    displaced = np.linalg.inv(motion_matrix(angles, shift))
    return named(head(MOVING_GRID, (57, 85, 73), 1, displaced), "sub-01_T1w.nii.gz")


def named(image: MetaTensor, name: str) -> MetaTensor:
    image.meta["filename_or_obj"] = name
    return image


def rotated_by(angle: float) -> RigidMotion:
    return RigidMotion.of(motion_matrix((0, 0, angle), (0, 0, 0)), CENTER)


@pytest.mark.parametrize(
    ("value", "expected"), [(True, "always"), (False, "never"), ("auto", "auto"), ("never", "never")]
)
def test_register_is_a_boolean_or_a_word(value: bool | str, expected: str) -> None:
    assert Register.of(value).value == expected
    assert Register.of(Register.of(value)) is Register.of(value)


@pytest.mark.parametrize("value", ["sometimes", 2, "", None])
def test_other_values_of_register_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"`register` .*no such choice; give auto, true"):
        Register.of(value)


def test_aligned_contrasts_stay(caplog: pytest.LogCaptureFixture) -> None:
    found = align(moving(), fixed(), Register.AUTO, "FLAIR")
    assert not found.is_applied
    assert 0 < found.distance < alignment.LIMIT
    assert found.apply(moving()) is moving()
    np.testing.assert_array_equal(found.matrix, np.eye(4))
    assert not caplog.records


def test_contrasts_that_lie_apart_are_moved(caplog: pytest.LogCaptureFixture) -> None:
    angles, shift = (4.0, -5.0, 3.0), (5.0, -3.0, 4.0)
    found = align(moving(angles, shift), fixed(), Register.AUTO, "FLAIR")
    assert found.is_applied
    error = found.matrix @ np.linalg.inv(motion_matrix(angles, shift))
    assert np.linalg.norm(error[:3, :3] @ CENTER + error[:3, 3] - CENTER) < 0.3
    assert np.degrees(Rotation.from_matrix(error[:3, :3]).magnitude()) < 0.3
    assert not caplog.records


def shifts_by_effort(quick: tuple[float, ...], thorough: tuple[float, ...]) -> Callable[..., RigidMotion]:
    """Return what finds one shift with little effort, and another with more."""
    shifts = {QUICK: quick, THOROUGH: thorough}
    return lambda *_, effort=THOROUGH: RigidMotion.of(motion_matrix((0, 0, 0), shifts[effort]), CENTER)


def test_what_lies_apart_is_moved_as_always_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "register_rigid", shifts_by_effort((0, 3, 1), SHIFTED[1]))
    by_itself, always = (align(moving(*SHIFTED), fixed(), how, "FLAIR") for how in (Register.AUTO, Register.ALWAYS))
    assert by_itself.is_applied
    np.testing.assert_array_equal(by_itself.matrix, always.matrix)


def test_what_is_far_at_a_glance_and_close_at_a_second_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "register_rigid", shifts_by_effort((0, 1.2, 0), (0, 0.8, 0)))
    found = align(moving(), fixed(), Register.AUTO, "FLAIR")
    assert not found.is_applied
    assert found.distance == pytest.approx(0.8, abs=1e-6)


def test_always_tells_nothing_of_a_small_motion(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alignment, "register_rigid", lambda *_, **__: rotated_by(0.2))
    assert align(moving(), fixed(), Register.ALWAYS, "FLAIR").is_applied
    assert not caplog.records


def test_never_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "register_rigid", None)
    assert align(moving(*SHIFTED), fixed(), Register.NEVER, "FLAIR") == Alignment()


@pytest.mark.parametrize("register", [Register.AUTO, Register.ALWAYS])
def test_a_motion_too_large_for_a_head_is_told(
    register: Register, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alignment, "register_rigid", lambda *_, **__: rotated_by(30.0))
    found = align(moving(), fixed(), register, "FLAIR")
    assert found.is_applied is (register is Register.ALWAYS)
    (record,) = caplog.records
    assert "sub-01_T1w.nii.gz: registration to the FLAIR image" in record.getMessage()
    assert "more than a head can move in a scanner" in record.getMessage()


def test_a_motion_after_which_images_fit_no_better_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alignment, "register_rigid", lambda *_, **__: rotated_by(5.0))
    found = align(moving(), fixed(), Register.AUTO, "FLAIR")
    assert not found.is_applied
    (record,) = caplog.records
    assert "after which they fit no better, so that it stays where its header puts it" in record.getMessage()
    assert "set `register` to true" in record.getMessage()


def test_a_registration_that_fails_is_told_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise InputError.at("a.nii", "registration failed", "check")

    monkeypatch.setattr(alignment, "register_rigid", fail)
    assert align(moving(), fixed(), Register.AUTO, "FLAIR") == Alignment()
    assert "a.nii: registration failed; check; it stays where its header puts it" in caplog.text
    with pytest.raises(InputError, match="registration failed"):
        align(moving(), fixed(), Register.ALWAYS, "FLAIR")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_few_slices_are_not_measured_and_that_is_told(
    axis: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alignment, "register_rigid", None)
    thin = named(MetaTensor(fixed().narrow(axis + 1, 30, 4).as_tensor(), meta=dict(fixed().meta)), "thin.nii.gz")
    with caplog.at_level("WARNING"):
        assert align(moving(), thin, Register.AUTO, "FLAIR") == Alignment()
    assert "too little to measure whether they are aligned; look at both" in caplog.text


def test_images_that_do_not_overlap_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused where they are resampled."""
    monkeypatch.setattr(alignment, "register_rigid", None)
    away = named(MetaTensor(moving().as_tensor(), meta=dict(moving().meta)), "away.nii.gz")
    away.affine = moving().affine + torch.tensor([[0, 0, 0, 500.0]] + 3 * [[0, 0, 0, 0]])
    assert align(away, fixed(), Register.AUTO, "FLAIR") == Alignment()


def test_json_tells_the_motion_and_whether_it_was_made() -> None:
    found = {"T1w": Alignment(rotated_by(5.0), 7.5, is_applied=True), "T2w": Alignment(rotated_by(0.1), 0.12)}
    content = json.loads(as_json(Register.AUTO, "FLAIR", found | {"FLAIR": Alignment()}))
    assert (content["Reference"], content["Automatic"]) == ("FLAIR", True)
    assert content["Contrasts"] == {
        "T1w": {
            "Moved": True,
            "RotationDegrees": [0.0, 0.0, 5.0],
            "TranslationMillimeters": [0.0, 0.0, 0.0],
            "LargestShiftMillimeters": 7.5,
        },
        "T2w": {
            "Moved": False,
            "RotationDegrees": [0.0, 0.0, 0.1],
            "TranslationMillimeters": [0.0, 0.0, 0.0],
            "LargestShiftMillimeters": 0.12,
        },
    }


def test_json_is_empty_where_nothing_was_measured() -> None:
    assert as_json(Register.AUTO, "FLAIR", {"T1w": Alignment(), "FLAIR": Alignment()}) == ""
