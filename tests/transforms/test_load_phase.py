"""Tests of transforms.load_phase."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.transforms import LoadPhased, SaveStagesd
from mri_attention.transforms.load_phase import PROCESSING
from tests.transforms.gradient_echoes import B0, TIMES, error, inside, save, signal, write_echoes, write_mask

RADIUS: dict[str, Any] = {"background": {"method": "vsharp", "radius": 6.0}}


def load(paths: dict[str, list[str]], mask: str | None = None, **options: Any) -> dict[Any, Any]:
    case: dict[str, Any] = {"image": paths["phase"][:1], **paths} | ({} if mask is None else {"mask": mask})
    return LoadPhased(**({**RADIUS, **options}))(case)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("times", [TIMES, TIMES[:2], TIMES[1:2]], ids=len)
def test_the_local_field_is_that_of_the_closed_form(times: tuple[float, ...], tmp_path: Path) -> None:
    found = load(write_echoes(tmp_path, times), write_mask(tmp_path / "mask.nii.gz"))
    assert error(found["image"].as_tensor()[0], found["mask"].as_tensor()[0]) < 0.25
    assert not found["image"].as_tensor()[found["mask"].as_tensor() == 0].any()


def test_one_step_with_the_inversion_gives_it(tmp_path: Path) -> None:
    background = {"method": "single_step", "radius": 6.0}
    found = load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"), background=background)
    assert error(found["image"].as_tensor()[0], found["mask"].as_tensor()[0]) < 0.2


def test_times_in_another_order_than_files_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths, mask = write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz")
    shuffled = {part: files[::-1] for part, files in paths.items()}
    load(shuffled, mask)  # by their sidecars
    assert not [line for line in warnings_of(caplog) if "signal grows" in line]
    load(shuffled, mask, echo_time=list(TIMES))
    assert [line.split(": ")[1] for line in warnings_of(caplog) if "signal grows" in line] == [
        "signal grows from 0.004 to 0.01 s, where it ought to decay; check that echo times belong to files"
    ]


def spoiled(paths: dict[str, list[str]], part: str, value: float, share: float = 0.005) -> dict[str, list[str]]:
    """Write one value into some voxels of the last echo, on other places in each call of another value."""
    last = nib.load(paths[part][-1])
    values = np.where(np.random.default_rng(1).random(last.shape) < share, value, last.get_fdata())
    nib.save(nib.Nifti1Image(values.astype(np.float32), last.affine), paths[part][-1])
    return paths


@pytest.mark.parametrize("method", ["single_step", "vsharp"])
@pytest.mark.parametrize(("part", "value"), [("magnitude", 0.0), ("phase", math.nan), ("mask", 0.0)])
def test_scattered_voxels_that_are_not_known_cost_little(part: str, value: float, method: str, tmp_path: Path) -> None:
    background = {"method": method, "radius": 6.0}
    paths, mask = write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz")
    spoiled(paths | {"mask": [mask]}, part, value)
    found = load(paths, mask, background=background, allow_nan=True)
    whole = load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"), background=background)
    assert found["mask"].sum() > 0.97 * whole["mask"].sum()
    errors = [error(x["image"].as_tensor()[0], x["mask"].as_tensor()[0]) for x in (found, whole)]
    assert errors[0] < errors[1] + 0.03


def test_parts_of_a_given_mask_stay(tmp_path: Path) -> None:
    paths, mask = write_echoes(tmp_path), inside()
    mask[17:19] = False
    found = load(paths, str(save(tmp_path / "mask.nii.gz", mask.astype(np.float32))))["mask"].numpy()[0]
    assert found[:17].any()
    assert found[19:].any()


def test_results_do_not_depend_on_the_unit_of_the_magnitude(tmp_path: Path) -> None:
    mask = write_mask(tmp_path / "mask.nii.gz")
    expected = load(write_echoes(tmp_path), mask)["image"].as_tensor()
    paths = write_echoes(tmp_path)
    for path in paths["magnitude"]:
        image = nib.load(path)
        nib.save(nib.Nifti1Image(image.get_fdata() * 1e-25, image.affine), path)
    torch.testing.assert_close(load(paths, mask)["image"].as_tensor(), expected, atol=1e-4, rtol=0)


def test_numbers_that_contradict_the_sidecar_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = write_echoes(tmp_path)
    load(paths, write_mask(tmp_path / "mask.nii.gz"), b0=B0, echo_time=list(TIMES))
    assert not [line for line in warnings_of(caplog) if "the latter is used" in line]
    load(paths, write_mask(tmp_path / "mask.nii.gz"), b0=2 * B0, echo_time=[2 * time for time in TIMES])
    told = [line for line in warnings_of(caplog) if "the latter is used" in line]
    assert [line.split("tells ")[1].split(",")[0] for line in told] == [f"{number:g}" for number in (*TIMES, B0)]


def test_a_mask_that_is_mostly_lost_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"))
    assert not [line for line in warnings_of(caplog) if "of its mask are lost" in line]
    background = {"method": "vsharp", "radius": 6.0, "smallest_radius": 5.0}
    load(write_echoes(tmp_path / "b"), write_mask(tmp_path / "mask.nii.gz"), background=background)
    assert len([line for line in warnings_of(caplog) if "of its mask are lost" in line]) == 1


def test_pdf_gives_it_in_the_whole_mask(tmp_path: Path) -> None:
    found = load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"), background="pdf")
    assert error(found["image"].as_tensor()[0], found["mask"].as_tensor()[0]) < 0.35
    assert float(found["mask"].sum()) > 0.98 * inside().sum()


def test_a_head_without_mask_is_found(tmp_path: Path) -> None:
    found = load(write_echoes(tmp_path))
    assert not (found["mask"].as_tensor()[0].numpy() > inside()).any()
    assert error(found["image"].as_tensor()[0], found["mask"].as_tensor()[0]) < 0.25


@pytest.mark.parametrize(
    "scale",
    [
        lambda radians: np.rint((radians + math.pi) / (2 * math.pi) * 4096).clip(0, 4095),
        lambda radians: np.rint(radians / math.pi * 2048) * 2,
        lambda radians: np.rint(1000 * radians),
    ],
    ids=["0..4095", "-4096..4096", "milliradians"],
)
def test_integers_give_the_field_of_radians(scale: Any, tmp_path: Path) -> None:
    mask = write_mask(tmp_path / "mask.nii.gz")
    expected, found = (load(write_echoes(tmp_path / n, scale=s), mask) for n, s in (("a", lambda x: x), ("b", scale)))
    torch.testing.assert_close(found["image"].as_tensor(), expected["image"].as_tensor(), atol=2e-3, rtol=0)


def test_what_comes_with_the_field(tmp_path: Path) -> None:
    found = load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"))
    assert found["voxel_size"].tolist() == [1.0, 1.0, 1.5]
    assert found["b0_direction"].tolist() == [0.0, 0.0, 1.0]
    assert {found[key].shape for key in ("image", "mask", "noise", "fieldmap", "residual")} == {(1, 36, 32, 24)}
    made = json.loads(found["image"].meta[PROCESSING])
    assert made["EchoTime"] == list(TIMES)
    removal = {"Method": "vsharp", "radius": 6.0, "smallest_radius": None, "threshold": 0.05}
    assert made["BackgroundFieldRemoval"] == removal
    assert made["VoxelsBesideWraps"] == 0
    assert 0 < made["MaskEroded"] < 0.5


def test_the_noise_is_that_of_the_field(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    mask = write_mask(tmp_path / "mask.nii.gz")
    found = load(paths, mask)
    again = write_echoes(tmp_path / "clean")
    for number, clean in enumerate(signal(noise=0.0)):
        save(Path(again["phase"][number]), np.angle(clean))
    difference = (found["fieldmap"] - load(again, mask)["fieldmap"]).as_tensor() / 127.73
    where = found["mask"].as_tensor() > 0
    ratio = difference[where] / found["noise"].as_tensor()[where]
    assert float(ratio.std()) == pytest.approx(1, abs=0.1)


def test_invert_changes_the_sign(tmp_path: Path) -> None:
    paths, mask = write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz")
    plain, inverted = (load(paths, mask, invert=invert)["image"].as_tensor() for invert in (False, True))
    torch.testing.assert_close(inverted, -plain, atol=1e-4, rtol=0)


def test_an_unknown_scale_is_refused_and_a_stated_one_is_used(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path, scale=lambda radians: radians * 0.00117)
    with pytest.raises(
        InputError, match=r"values from -0.00\d+ to 0.00\d+ are phase in no known scale; set `phase_ran"
    ):
        load(paths)
    limit = math.pi * 0.00117
    found = load(paths, write_mask(tmp_path / "mask.nii.gz"), phase_range=[-limit, limit])
    assert error(found["image"].as_tensor()[0], found["mask"].as_tensor()[0]) < 0.25


def test_options_take_the_place_of_sidecars(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    for file in [*paths["phase"], *paths["magnitude"]]:
        Path(file.replace(".nii.gz", ".json")).unlink()
    with pytest.raises(InputError, match="no EchoTime of 3 echoes in a sidecar; give `echo_time`"):
        load(paths)
    with pytest.raises(InputError, match="no MagneticFieldStrength in a sidecar; give `b0`"):
        load(paths, echo_time=TIMES)
    with pytest.raises(InputError, match="2 for 3 echoes; give one for each"):
        load(paths, echo_time=TIMES[:2])
    assert load(paths, write_mask(tmp_path / "mask.nii.gz"), echo_time=TIMES, b0=B0)["image"].any()


def test_one_line_tells_the_quality(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mri_attention.transforms.load_phase"):
        load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"))
    (line,) = [record.getMessage() for record in caplog.records if "echoes" in record.getMessage()]
    assert "field of 3 echoes, residual 0.0" in line
    assert "wraps beside 0 % of voxels, mask eroded by" in line


def test_bad_backgrounds_are_refused() -> None:
    with pytest.raises(InputError, match="`background`: must be one of single_step, vsharp, pdf, got 'lbv'"):
        LoadPhased(background="lbv")
    with pytest.raises(InputError, match="`background`: "):
        LoadPhased(background=3)  # type: ignore[arg-type]


def test_numbers_of_a_background_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"`background`: radius must be at least 1.5 mm, the smallest, got radius=-3; choose other"
    ):
        load(write_echoes(tmp_path), background={"method": "vsharp", "radius": -3})


def test_a_range_without_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must ascend, got -inf to inf"):
        load(write_echoes(tmp_path), phase_range=[-math.inf, math.inf])


def test_a_mask_of_noise_is_refused(tmp_path: Path) -> None:
    paths = write_echoes(tmp_path)
    outside = save(tmp_path / "mask.nii.gz", 1.0 - inside())
    with pytest.raises(InputError, match="voxels are left of the mask"):
        load(paths, str(outside))


def test_stages_are_written_with_sidecars_where_they_are_wanted(tmp_path: Path) -> None:
    found = load(write_echoes(tmp_path), write_mask(tmp_path / "mask.nii.gz"))
    SaveStagesd(tmp_path / "no", enabled=False)(found)
    assert not (tmp_path / "no").exists()
    SaveStagesd(tmp_path / "out")(found)
    names = {file.name for file in (tmp_path / "out" / "sub-1" / "anat").iterdir()}
    stems = ("fieldmap", "localfield", "desc-brain_mask", "desc-residual_phase", "desc-noise_localfield")
    assert names == {f"sub-1_{stem}{ending}" for stem in stems for ending in (".nii.gz", ".json")}
    told = json.loads((tmp_path / "out" / "sub-1" / "anat" / "sub-1_fieldmap.json").read_text())
    assert told["Units"] == "Hz"
    assert told["MagneticFieldStrength"] == B0
