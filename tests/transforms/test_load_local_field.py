"""Tests of transforms.local_field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from mri_attention.datasets.input_error import InputError
from mri_attention.operators import units_per_ppm
from mri_attention.transforms import LoadLocalFieldd, LoadMapd
from mri_attention.transforms.load_local_field import parse_direction

AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


def write(
    path: Path, scale: float = 1.0, affine: np.ndarray = AFFINE, sidecar: dict[str, Any] | str | None = None
) -> Path:
    """Write a field of 0.02 ppm times ``scale``, with a border of zeros."""
    data = np.zeros((8, 7, 6), np.float32)
    data[1:-1, 1:-1, 1:-1] = 0.02 * scale * np.random.default_rng(0).normal(size=(6, 5, 4))
    nib.save(nib.Nifti1Image(data, affine), path)
    if sidecar is not None:
        text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(text)
    return path


def load(path: Path, mask: Path | None = None, **options: Any) -> dict[Any, Any]:
    return LoadLocalFieldd(**options)({"image": [str(path)]} | ({} if mask is None else {"mask": str(mask)}))


@pytest.mark.parametrize("unit", ["ppm", "ppb", "hz", "rad"])
def test_every_unit_becomes_ppm(tmp_path: Path, unit: Any) -> None:
    expected = load(write(tmp_path / "a.nii.gz"))["image"]
    path = write(tmp_path / "b.nii.gz", units_per_ppm(unit, 3.0, 0.02))
    found = load(path, field_unit=unit, b0=3.0, echo_time=0.02)["image"]
    torch.testing.assert_close(found.as_tensor(), expected.as_tensor())


@pytest.mark.parametrize(("unit", "names"), [("ppm", ["b0", "echo_time"]), ("Hz", ["echo_time"]), ("rad", [])])
def test_what_has_no_effect_on_a_unit_is_told(
    tmp_path: Path, unit: Any, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.nii.gz", units_per_ppm(unit.lower(), 3.0, 0.02))
    load(path, field_unit=unit, b0=3.0, echo_time=0.02)
    told = [line.split(": ")[1] for line in caplog.messages if "has no effect" in line]
    assert told == [f"`{name}` has no effect on a field in {unit.lower()}" for name in names]


def test_field_strength_and_echo_time_come_from_the_sidecar(tmp_path: Path) -> None:
    sidecar = {"MagneticFieldStrength": 7.0, "EchoTime": 0.01}
    path = write(tmp_path / "a.nii.gz", units_per_ppm("rad", 7.0, 0.01), sidecar=sidecar)
    found = load(path, field_unit="rad")["image"]
    torch.testing.assert_close(found.as_tensor(), load(write(tmp_path / "b.nii.gz"))["image"].as_tensor())


def test_direction_is_that_of_the_option_then_of_the_sidecar_then_of_the_affine(tmp_path: Path) -> None:
    swapped = AFFINE[:, [0, 2, 1, 3]]
    bare = write(tmp_path / "a.nii.gz", affine=swapped)
    told = write(tmp_path / "b.nii.gz", affine=swapped, sidecar={"B0Direction": [0, 3, 4]})
    assert load(bare)["b0_direction"].tolist() == [0, 1, 0]
    torch.testing.assert_close(load(told)["b0_direction"], torch.tensor([0, 0.6, 0.8]))
    assert load(told, b0_direction="2,0,0")["b0_direction"].tolist() == [1, 0, 0]


def test_voxel_size_is_that_of_the_affine(tmp_path: Path) -> None:
    assert load(write(tmp_path / "a.nii.gz"))["voxel_size"].tolist() == [1, 2, 3]


def test_mask_is_where_the_field_is_not_zero_or_that_of_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz")
    found = load(path)
    assert found["mask"].sum() == 6 * 5 * 4
    half = np.zeros((8, 7, 6), np.uint8)
    half[:4] = 1
    nib.save(nib.Nifti1Image(half, AFFINE), tmp_path / "mask.nii.gz")
    masked = load(path, tmp_path / "mask.nii.gz")
    assert masked["mask"].sum() == half.sum()
    assert not masked["image"][:, 4:].any()


def test_values_that_cannot_be_ppm_are_refused_with_the_likely_unit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.nii\.gz.*likely in Hz"):
        load(write(tmp_path / "a.nii.gz", units_per_ppm("hz", 3.0)))


@pytest.mark.parametrize("unit", ["hz", "rad"])
def test_units_without_what_they_need_are_refused(tmp_path: Path, unit: Any) -> None:
    with pytest.raises(InputError, match=r"a\.nii\.gz.*give `field_unit`, `b0`"):
        load(write(tmp_path / "a.nii.gz"), field_unit=unit)


@pytest.mark.parametrize("sidecar", ["{", "[1]", '{"B0Direction": [0, 0, 0]}'])
def test_unusable_sidecars_are_refused(tmp_path: Path, sidecar: str) -> None:
    with pytest.raises(InputError, match=r"a\."):
        load(write(tmp_path / "a.nii.gz", sidecar=sidecar))


def test_echo_time_in_milliseconds_is_refused_where_it_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "sub-01_localfield.nii.gz", units_per_ppm("rad", 3.0, 0.02))
    (tmp_path / "localfield.json").write_text('{"MagneticFieldStrength": 3, "EchoTime": 20}')
    with pytest.raises(InputError, match=r"EchoTime of .*sub-01_localfield.nii.gz: 20 s .* likely in ms: write 0.02"):
        load(path, field_unit="rad")
    with pytest.raises(InputError, match=r"^`echo_time`: 20 s"):
        load(path, field_unit="rad", echo_time=20)
    with pytest.raises(InputError, match=r"^`b0`: 3000 T .* likely in mT: write 3"):
        load(path, field_unit="rad", b0=3000)
    load(path, field_unit="rad", echo_time=0.02)
    load(write(tmp_path / "sub-02_localfield.nii.gz"))


@pytest.mark.parametrize("told", ["Hz", "rad", "radians", "ppb"])
def test_a_unit_that_the_sidecar_contradicts_is_refused(tmp_path: Path, told: str) -> None:
    path = write(tmp_path / "a.nii.gz", sidecar={"Units": told})
    with pytest.raises(InputError, match=f"its sidecar says that its Units are {told}, `field_unit` is ppm; set"):
        load(path)


@pytest.mark.parametrize("told", ["ppm", "arbitrary", ""])
def test_units_that_say_the_same_or_nothing_pass(tmp_path: Path, told: str) -> None:
    load(write(tmp_path / "a.nii.gz", sidecar={"Units": told}))


@pytest.mark.parametrize("value", ["3e30,4e30,0", "3e-40,4e-40,0", "3e300,4e300,0"])
def test_a_direction_may_have_any_length(value: str) -> None:
    torch.testing.assert_close(parse_direction(value, "`b0_direction`"), torch.tensor([0.6, 0.8, 0.0]))


def test_axes_that_are_not_at_right_angles_are_refused_whoever_tells_the_direction(tmp_path: Path) -> None:
    sheared = AFFINE.copy()
    sheared[0, 2] = 0.5 * sheared[2, 2]
    for number, told in enumerate((None, {"B0Direction": [0, 0, 1]})):
        path = write(tmp_path / f"{number}.nii.gz", affine=sheared, sidecar=told)
        for given in (None, "0,0,1"):
            with pytest.raises(InputError, match=r"voxel axes must be at right angles"):
                load(path, b0_direction=given)


@pytest.mark.parametrize("value", ["1,2", "x,y,z", [0, 0, 0], "", [1, 2, 3, 4], "0,0,inf", "0,nan,1"])
def test_what_is_no_direction_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^`b0_direction`: .* is no direction"):
        parse_direction(value, "`b0_direction`")


def test_map_is_loaded_on_the_grid_of_the_field(tmp_path: Path) -> None:
    data = load(write(tmp_path / "a.nii.gz"))
    loaded = LoadMapd()(data | {"label": str(write(tmp_path / "chi.nii.gz"))})["label"]
    assert loaded.shape == data["image"].shape
    assert torch.equal(loaded.affine, data["image"].affine)


def test_map_on_another_grid_or_in_another_unit_is_refused(tmp_path: Path) -> None:
    data = load(write(tmp_path / "a.nii.gz"))
    with pytest.raises(InputError, match="another grid"):
        LoadMapd()(data | {"label": str(write(tmp_path / "b.nii.gz", affine=np.eye(4)))})
    with pytest.raises(InputError, match="likely in ppb"):
        LoadMapd()(data | {"label": str(write(tmp_path / "c.nii.gz", 3000.0))})


def test_nan_in_a_map_can_be_zero(tmp_path: Path) -> None:
    data, file = load(write(tmp_path / "a.nii.gz")), write(tmp_path / "chi.nii.gz")
    values = np.array(nib.load(file).dataobj)
    values[0, 0, 0] = np.nan
    nib.save(nib.Nifti1Image(values, nib.load(file).affine), file)
    with pytest.raises(InputError, match="set `allow_nan` to true"):
        LoadMapd()(data | {"label": str(file)})
    loaded = LoadMapd(allow_nan=True)(data | {"label": str(file)})["label"]
    np.testing.assert_array_equal(loaded[0].numpy(), np.nan_to_num(values))
