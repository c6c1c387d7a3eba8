"""Tests of transforms.derivatives."""

import json
import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Invertd, Orientationd, Spacingd

from mri_attention.datasets.input_error import InputError
from mri_attention.transforms.load_contrasts import LoadContrastsd
from mri_attention.transforms.save_derivative import SaveDerivatived, derivative_path
from mri_attention.transforms.save_susceptibility import SaveSusceptibilityd

SHAPE = (9, 8, 7)
OBLIQUE = np.array([[-0.9, 0.05, 0.2, 80], [0.1, 0.1, -2.9, -90], [0.02, 1.1, 0.3, -40], [0, 0, 0, 1.0]])


def case(folder: Path, name: str = "sub-01_ses-2_FLAIR.nii.gz", codes: tuple[int, int] = (0, 4)) -> dict[str, Any]:
    """Load an oblique image, and add a probability and a mask made from it."""
    folder.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.random.default_rng(0).random(SHAPE, dtype=np.float32), OBLIQUE)
    image.set_qform(OBLIQUE, codes[0])
    image.set_sform(OBLIQUE, codes[1])
    nib.save(image, folder / name)
    data = LoadContrastsd(contrasts=("FLAIR",))({"image": [str(folder / name)]})
    return data | {"probability": data["image"].clone(), "pred": (data["image"] > 0.5).float()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sub-01_FLAIR.nii.gz", "sub-01/anat/sub-01_mask.nii.gz"),
        ("x/sub-01_ses-2_FLAIR.nii", "sub-01/ses-2/anat/sub-01_ses-2_mask.nii.gz"),
        ("sub-01_acq-3d_run-1_FLAIR.nii.gz", "sub-01/anat/sub-01_acq-3d_run-1_mask.nii.gz"),
        ("patient_FLAIR.nii.gz", "patient_FLAIR_mask.nii.gz"),
        ("sub-01.nii.gz", "sub-01_mask.nii.gz"),
        ("dicom_series", "dicom_series_mask.nii.gz"),
        ("1.2.840.1.nii.gz", "1.2.840.1_mask.nii.gz"),
        ("1.2.840.1", "1.2.840.1_mask.nii.gz"),
    ],
)
def test_names_follow_bids_where_the_source_does(source: str, expected: str) -> None:
    assert derivative_path(Path("out"), source, "mask") == Path("out", expected)


@pytest.mark.parametrize("codes", [(0, 4), (1, 0), (2, 1)])
def test_geometry_of_the_source_is_kept_bit_by_bit(tmp_path: Path, codes: tuple[int, int]) -> None:
    data = case(tmp_path / "in", codes=codes)
    out = SaveDerivatived("pred", tmp_path / "out", "label-lesion_mask", "uint8")(data)
    before, after = nib.load(tmp_path / "in/sub-01_ses-2_FLAIR.nii.gz"), nib.load(out["pred_path"])
    np.testing.assert_array_equal(after.affine, before.affine)
    assert (int(after.header["qform_code"]), int(after.header["sform_code"])) == codes
    np.testing.assert_array_equal(after.get_fdata(), data["pred"][0].numpy())


def test_every_key_has_its_suffix_and_dtype(tmp_path: Path) -> None:
    keys, suffixes = ("pred", "probability"), ("label-lesion_mask", "label-lesion_probseg")
    out = SaveDerivatived(keys, tmp_path / "out", suffixes, ("uint8", "float32"))(case(tmp_path / "in"))
    for key, suffix, dtype in zip(keys, suffixes, ("uint8", "float32"), strict=True):
        assert out[f"{key}_path"] == str(tmp_path / f"out/sub-01/ses-2/anat/sub-01_ses-2_{suffix}.nii.gz")
        assert nib.load(out[f"{key}_path"]).get_data_dtype() == dtype


def test_data_pass_unchanged(tmp_path: Path) -> None:
    data = case(tmp_path / "in")
    out = SaveDerivatived("pred", tmp_path / "out", "mask")(data)
    assert {key: out[key] for key in data} == data
    assert set(out) - set(data) == {"pred_path"}


def test_inverted_preprocessing_comes_back_to_the_exact_grid(tmp_path: Path) -> None:
    data = case(tmp_path / "in")
    keys = {"keys": "image"}
    preprocess = Compose([Orientationd(**keys, axcodes="RAS"), Spacingd(**keys, pixdim=(0.5, 0.5, 0.5))])
    processed = preprocess({"image": data["image"]})
    processed["pred"] = MetaTensor(torch.ones_like(processed["image"].as_tensor()), meta=processed["image"].meta)
    inverted = Invertd("pred", preprocess, orig_keys="image", nearest_interp=True)(processed)
    out = SaveDerivatived("pred", tmp_path / "out", "mask", "uint8")(inverted)
    written = nib.load(out["pred_path"])
    assert written.shape == SHAPE
    np.testing.assert_array_equal(written.affine, nib.load(tmp_path / "in/sub-01_ses-2_FLAIR.nii.gz").affine)


@pytest.mark.parametrize("suffixes", ["mask", ("a", "b", "c")])
def test_one_suffix_per_key_is_required(tmp_path: Path, suffixes: Any) -> None:
    with pytest.raises(ValueError, match="one suffix per key"):
        SaveDerivatived(("pred", "probability"), tmp_path, suffixes)


def test_result_of_another_shape_is_refused(tmp_path: Path) -> None:
    data = case(tmp_path / "in")
    data["pred"] = data["pred"][:, 1:]
    with pytest.raises(ValueError, match=r"not on the grid of .*\(8, 8, 7\), \(9, 8, 7\)"):
        SaveDerivatived("pred", tmp_path / "out", "mask")(data)
    assert not (tmp_path / "out").exists()


def test_result_of_another_affine_is_refused(tmp_path: Path) -> None:
    data = case(tmp_path / "in")
    data["pred"].affine = data["pred"].affine + 0.01
    with pytest.raises(ValueError, match="not on the grid"):
        SaveDerivatived("pred", tmp_path / "out", "mask")(data)


@pytest.mark.parametrize("value", [float("nan"), -float("inf")])
def test_results_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    data = case(tmp_path / "in")
    data["probability"][0, 3, 2, 1] = value
    with pytest.raises(
        InputError, match=r"FLAIR\.nii\.gz: 1 of the 504 values that the network made of it are NaN or Inf"
    ):
        SaveDerivatived("probability", tmp_path / "out", "probseg")(data)
    assert not list((tmp_path / "out").rglob("*.nii.gz"))


@pytest.mark.parametrize("is_added", [False, True])
def test_the_background_that_was_subtracted_comes_back_where_units_are_those_of_the_source(
    is_added: bool, tmp_path: Path
) -> None:
    values = np.zeros(SHAPE, np.float32)
    values[3:6, 2:6, 2:5] = np.random.default_rng(0).random((3, 4, 3)) + 1
    nib.save(nib.Nifti1Image(values - 2, OBLIQUE), tmp_path / "sub-01_FLAIR.nii.gz")
    data = LoadContrastsd(contrasts=("FLAIR",))({"image": [str(tmp_path / "sub-01_FLAIR.nii.gz")]})
    data["result"] = data["image"].clone()
    out = SaveDerivatived("result", tmp_path / "out", "rec_FLAIR", add_background=is_added)(data)
    np.testing.assert_allclose(nib.load(out["result_path"]).get_fdata(), values - 2 * is_added, atol=1e-6)


def test_what_alignment_found_is_in_the_sidecar_of_each_result(tmp_path: Path) -> None:
    data = case(tmp_path)
    data["image"].meta["alignment"] = '{"Reference": "FLAIR"}'
    out = SaveDerivatived("pred", tmp_path / "out", "mask")(data)
    sidecar = Path(out["pred_path"].replace(".nii.gz", ".json"))
    assert json.loads(sidecar.read_text()) == {"Alignment": {"Reference": "FLAIR"}}


@pytest.mark.parametrize("alignment", [None, ""])
def test_without_alignment_there_is_no_sidecar(tmp_path: Path, alignment: str | None) -> None:
    data = case(tmp_path)
    data["image"].meta["alignment"] = alignment
    SaveDerivatived("pred", tmp_path / "out", "mask")(data)
    assert not [*(tmp_path / "out").rglob("*.json")]


def test_a_sidecar_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    data = case(tmp_path)
    data["image"].meta["alignment"] = '{"Reference": "FLAIR"}'
    path = derivative_path(tmp_path / "out", data["image"].meta["filename_or_obj"], "mask")
    path.parent.mkdir(parents=True)
    sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
    sidecar.write_text("{}")
    with pytest.raises(InputError, match=r"mask.json: a result is there already"):
        SaveDerivatived("pred", tmp_path / "out", "mask")(data)
    assert not path.exists()


def test_source_is_not_overwritten(tmp_path: Path) -> None:
    data = case(tmp_path / "out/sub-01/ses-2/anat")
    with pytest.raises(InputError, match="overwrite an input file"):
        SaveDerivatived("pred", tmp_path / "out", "FLAIR")(data)


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    save = SaveDerivatived("pred", tmp_path / "out", "mask")
    save(case(tmp_path / "a", "FLAIR.nii.gz"))
    with pytest.raises(InputError, match=r"result of .*a/FLAIR.nii.gz and of .*b/FLAIR.nii.gz; rename"):
        save(case(tmp_path / "b", "FLAIR.nii.gz"))


def test_two_cases_of_one_source_are_refused(tmp_path: Path) -> None:
    save, first, second = SaveDerivatived("pred", tmp_path / "out", "mask"), case(tmp_path), case(tmp_path)
    save(first)
    second["image"].meta["sources"] = f"{tmp_path / 'other_T1w.nii.gz'}\n{second['image'].meta['filename_or_obj']}"
    with pytest.raises(InputError, match=r"result of .*FLAIR.nii.gz and of .*other_T1w.nii.gz and"):
        save(second)


@pytest.mark.parametrize("there", ["sub-01_ses-2_mask.nii.gz", "sub-01_ses-2_mask.json"])
def test_what_is_there_is_replaced_only_where_that_is_wanted(tmp_path: Path, there: str) -> None:
    old = tmp_path / "out" / "sub-01" / "ses-2" / "anat" / there
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    data = case(tmp_path / "in") | {"b0_direction": torch.tensor([0.0, 0, 1])}
    with pytest.raises(InputError, match=rf"{there}: a result is there already; set `overwrite` to true, or choose"):
        SaveSusceptibilityd("pred", tmp_path / "out", "mask")(data)
    assert old.read_bytes() == b"old"
    assert [file.name for file in old.parent.iterdir()] == [there]
    SaveSusceptibilityd("pred", tmp_path / "out", "mask", overwrite=True)(data)
    assert old.read_bytes() != b"old"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("T1.nii.gz", "p1_T1_mask.nii.gz"), ("sub-01_T1w.nii.gz", "p1/sub-01/anat/sub-01_mask.nii.gz")],
)
def test_results_of_files_with_one_name_have_the_prefix_of_their_case(tmp_path: Path, name: str, expected: str) -> None:
    data = case(tmp_path / "in", name) | {"result_prefix": "p1"}
    assert SaveDerivatived("pred", tmp_path, "mask")(data)["pred_path"] == str(tmp_path / expected)


def test_same_source_may_be_written_again(tmp_path: Path) -> None:
    save, data = SaveDerivatived("pred", tmp_path / "out", "mask"), case(tmp_path / "in")
    assert save(data)["pred_path"] == save(data)["pred_path"]


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="cannot be written"):
        SaveDerivatived("pred", tmp_path / "out", "mask")(case(tmp_path / "in"))


@pytest.mark.parametrize(("noise", "told"), [(0.0012, ""), (1e-6, "0.001 ppb, it may be smoothed"), (0.2, "check its")])
def test_the_sidecar_has_the_noise_and_a_strange_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, noise: float, told: str
) -> None:
    data = case(tmp_path / "in") | {"b0_direction": torch.tensor([0.0, 0, 1]), "noise": torch.tensor(noise)}
    with caplog.at_level(logging.WARNING):
        out = SaveSusceptibilityd("pred", tmp_path / "out", "Chimap")(data)
    assert told in caplog.text
    assert bool(told) == bool(caplog.records)
    sidecar = Path(str(out["pred_path"]).replace(".nii.gz", ".json"))
    assert json.loads(sidecar.read_text())["FieldNoise"] == pytest.approx(noise)


def test_the_sidecar_has_the_median_of_a_map_of_noise(tmp_path: Path) -> None:
    noise = torch.tensor([0.0, 0.001, 0.002, 0.003, torch.inf])
    data = case(tmp_path / "in") | {"b0_direction": torch.tensor([0.0, 0, 1]), "noise": noise}
    SaveSusceptibilityd("pred", tmp_path / "out", "Chimap")(data)
    (sidecar,) = (tmp_path / "out").rglob("*_Chimap.json")
    assert json.loads(sidecar.read_text())["FieldNoise"] == pytest.approx(0.002)
