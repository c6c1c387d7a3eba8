"""Tests of scripts.predict on a tiny bundle."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mri_attention.scripts.running import Bundle, Configuration
from mri_attention.scripts.running.prediction import check_scale
from tests.scripts.conftest import AFFINE, CONTRASTS, SHAPE, lesion_mask, write_image

Run = Callable[..., int]


@pytest.fixture
def images(tiny_dataset: Path) -> dict[str, Path]:
    """Files of one subject by contrast."""
    anat = tiny_dataset / "sub-01" / "anat"
    return {contrast: anat / f"sub-01_{contrast}.nii.gz" for contrast in CONTRASTS}


def options(images: dict[str, Path]) -> list[str]:
    return [word for contrast, path in images.items() for word in ("--image", f"{contrast}={path}")]


def test_writes_mask_and_overview_and_tells_what_it_found(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    assert run_command("predict", tiny_bundle, "--output-dir", output, *options(images)) == 0
    anat = output / "sub-01" / "anat"
    mask = nib.load(anat / "sub-01_label-lesion_mask.nii.gz")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), lesion_mask())
    np.testing.assert_array_equal(mask.affine, nib.load(images["FLAIR"]).affine)
    assert (anat / "sub-01_overview.png").read_bytes().startswith(b"\x89PNG")
    assert "2 lesions, 0.14 ml" in (anat / "sub-01_viewer.html").read_text(encoding="utf-8")
    description = json.loads((output / "dataset_description.json").read_text())
    assert description["GeneratedBy"] == [{"Name": "tiny", "Version": "0.0.1"}]
    told = capsys.readouterr().out
    assert "2 lesions, 0.14 ml" in told  # 31 voxels of 4.5 mm^3
    assert str(anat / "sub-01_label-lesion_mask.nii.gz") in told
    assert str(anat / "sub-01_viewer.html") in told


def test_writes_no_page_where_none_is_wanted(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    arguments = ("--output-dir", tmp_path / "out", "--no-viewer", *options(images))
    assert run_command("predict", tiny_bundle, *arguments) == 0
    assert list((tmp_path / "out").rglob("*.html")) == []
    assert list((tmp_path / "out").rglob("*_overview.png"))


def test_applies_to_each_case_of_a_dataset(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert run_command("predict", tiny_bundle, "--output-dir", output, "--dataset-dir", tiny_dataset) == 0
    assert sorted(p.name for p in output.glob("sub-*")) == ["sub-01", "sub-02"]


def test_brain_mask_hides_what_is_outside(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    brain = np.zeros(SHAPE, dtype=np.uint8)
    brain[:12] = 1
    mask = write_image(tmp_path / "brain.nii.gz", brain)
    output = tmp_path / "out"
    arguments = ("--output-dir", output, "--mask", mask, *options(images))
    assert run_command("predict", tiny_bundle, *arguments) == 0
    found = np.asarray(nib.load(output / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz").dataobj)
    np.testing.assert_array_equal(found, lesion_mask() * brain)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [((), {"T1w": True, "T2w": False}), (("--register",), {"T1w": True, "T2w": True}), (("--no-register",), {})],
)
def test_contrasts_that_lie_apart_are_moved_and_told(
    wanted: tuple[str, ...],
    expected: dict[str, bool],
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    config = bundle / "configs" / "inference.yaml"
    config.write_text(config.read_text().replace("register: false", "register: auto"))
    rng = np.random.default_rng(0)
    blob = np.exp(-sum((g - c) ** 2 for g, c in zip(np.indices(SHAPE), (12, 9, 8), strict=True)) / 30)
    head = (blob + 0.02 * rng.random(SHAPE)).astype(np.float32)
    for contrast, path in images.items():
        shift = np.eye(4)
        shift[1, 3] = 4.0 if contrast == "T1w" else 0.0
        write_image(path, head, shift @ AFFINE)
    assert run_command("predict", bundle, "--output-dir", tmp_path / "out", *wanted, *options(images)) == 0
    told = capsys.readouterr().out
    sidecar = tmp_path / "out" / "sub-01" / "anat" / "sub-01_label-lesion_mask.json"
    content = json.loads(sidecar.read_text())["Alignment"] if sidecar.exists() else {"Contrasts": {}}
    moved = {name: found["Moved"] for name, found in content["Contrasts"].items()}
    assert moved == expected
    assert content.get("Automatic", False) is (wanted == ())
    assert [name for name in CONTRASTS if f"{name} was moved by rotation" in told] == [n for n in moved if moved[n]]
    assert [name for name in CONTRASTS if f"{name} was not moved" in told] == [n for n in moved if not moved[n]]
    if moved:
        np.testing.assert_allclose(content["Contrasts"]["T1w"]["TranslationMillimeters"], [0, -4, 0], atol=0.3)


def test_another_word_for_register_is_refused(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = ("--output-dir", tmp_path / "out")
    assert run_command("predict", tiny_bundle, *output, *options(images), "--", "--register", "maybe") == 2
    assert "--register maybe: no such choice; give auto, true (or always)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def with_value(data: np.ndarray, value: float, n_voxels: int) -> np.ndarray:
    spoiled = data.copy()
    spoiled[3, 3, :n_voxels] = value
    return spoiled


SPOILED = {
    "2D": lambda data: data[:, :, 0],
    "4D": lambda data: np.stack([data, data], -1),
    "zero": lambda data: 0 * data,
    "NaN": lambda data: with_value(data, np.nan, 1),
    "Inf": lambda data: with_value(data, np.inf, 2),
}


def spoil(name: str, path: Path) -> None:
    """Make the image at ``path`` bad in the way of that ``name``."""
    if name == "missing":
        path.unlink()
    elif name in ("truncated", "text"):
        path.write_bytes(path.read_bytes()[:200] if name == "truncated" else b"not an image")
    else:
        write_image(path, SPOILED[name](np.asarray(nib.load(path).dataobj)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such file"),
        ("truncated", "truncated"),
        ("text", "cannot be read"),
        ("2D", "2D image"),
        ("4D", "4D image"),
        ("zero", "all voxels are zero"),
        ("NaN", "1 NaN"),
        ("Inf", "2 Inf"),
    ],
)
def test_bad_image_ends_with_one_line_and_no_output(
    name: str,
    message: str,
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(name, images["T2w"])
    before = sorted(tmp_path.iterdir())
    assert run_command("predict", tiny_bundle, "--output-dir", tmp_path / "out", *options(images)) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error")]
    assert len(errors) == 1
    assert errors[0].startswith(f"Error: {images['T2w']}: ")
    assert message in errors[0]
    assert sorted(tmp_path.iterdir()) == before


def test_replaces_nan_when_told_to(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil("NaN", images["T2w"])
    arguments = ("--output-dir", tmp_path / "out", "--allow-nan", *options(images))
    assert run_command("predict", tiny_bundle, *arguments) == 0
    assert "1 NaN" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda words: words[:2], "--image: no T2w, FLAIR given; add T2w, FLAIR"),
        (lambda words: [*words, *words[:2]], "given twice"),
        (lambda words: ["--image", "ct.nii.gz", *words], "--image ct.nii.gz: not CONTRAST=FILE"),
        (lambda words: ["--image", "CT=ct.nii.gz", *words], "--image CT: no such contrast; give each of T1w"),
        (lambda words: [*words, "--b0", "3"], "--b0: has no meaning for tiny"),
        (lambda words: [*words, "--reference", "x.nii"], "--reference x.nii: has no meaning without --kspace"),
        (lambda words: [*words, "--runtime", "tensorrt"], "--runtime tensorrt: no such runtime"),
        (lambda words: [], "predict: no images"),
        (lambda words: [*words, "--dataset-dir", "."], "predict: images given twice"),
        (lambda words: [*words, "--overlay", "none"], "no config 'none'; choose among"),
        (lambda words: [*words, "--model", "none.pt"], "none.pt: no such file of weights"),
    ],
    ids=[
        "missing contrast",
        "twice",
        "no contrast",
        "unknown",
        "setting",
        "reference",
        "runtime",
        "none",
        "both",
        "overlay",
        "model",
    ],
)
def test_bad_options_end_with_one_line(
    change: Callable[[list[str]], list[str]],
    message: str,
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command("predict", tiny_bundle, "--output-dir", tmp_path / "out", *change(options(images))) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_mask_of_another_shape_is_refused(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mask = write_image(tmp_path / "brain.nii.gz", np.eye(9, dtype=np.uint8)[..., None].repeat(9, -1))
    arguments = ("--output-dir", tmp_path / "out", "--mask", mask, *options(images))
    assert run_command("predict", tiny_bundle, *arguments) == 2
    assert "the mask has shape (9, 9, 9), the images (24, 20, 16)" in capsys.readouterr().err


def test_empty_dataset_is_refused(
    run_command: Run, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("--output-dir", tmp_path / "out", "--dataset-dir", tmp_path / "empty")
    assert run_command("predict", tiny_bundle, *arguments) == 2
    assert "no subjects" in capsys.readouterr().err


def test_other_names_than_those_of_bids_name_their_results(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    images["FLAIR"] = images["FLAIR"].rename(tmp_path / "dark fluid.nii.gz")
    assert run_command("predict", tiny_bundle, "--output-dir", tmp_path / "out", *options(images)) == 0
    assert (tmp_path / "out" / "dark fluid_label-lesion_mask.nii.gz").is_file()
    assert (tmp_path / "out" / "dark fluid_overview.png").is_file()
    assert "\ndark fluid\n" in "\n" + capsys.readouterr().out


@pytest.mark.parametrize("overlay", ["paper", "networks/zeng"])
def test_overlays_do_for_every_scale_of_their_network(overlay: str) -> None:
    check_scale(Configuration(Bundle.find("guided_super_resolution_sanet"), ["inference", overlay]), 4)


@pytest.mark.parametrize("scale", ["4", "1,1,3"])
def test_refuses_a_scale_that_the_bundle_cannot_do(
    run_command: Run, images: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], scale: str
) -> None:
    given = ["--image", f"T1w={images['T1w']}", "--scale", scale]
    assert run_command("predict", "brain_super_resolution_cftn", "--output-dir", tmp_path / "out", *given) == 2
    assert "cannot do that; choose 2 or 3" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def mask_of(output: Path) -> np.ndarray:
    return np.asarray(nib.load(output / "sub-01" / "anat" / "sub-01_label-lesion_mask.nii.gz").dataobj)


def test_results_of_other_images_are_not_replaced(
    run_command: Run,
    tiny_bundle: Path,
    images: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    assert run_command("predict", tiny_bundle, "--output-dir", output, *options(images)) == 0
    before = mask_of(output)
    other = np.zeros(SHAPE, np.float32)
    other[3:20, 3:15, 3:10] = 3
    write_image(images["FLAIR"], other)
    arguments = ("predict", tiny_bundle, "--output-dir", output, *options(images))
    assert run_command(*arguments) == 2
    assert "a result is there already; give --overwrite, or choose another --output-dir" in capsys.readouterr().err
    np.testing.assert_array_equal(mask_of(output), before)
    assert run_command(*arguments, "--overwrite") == 0
    assert mask_of(output).sum() == (other > 0).sum()


@pytest.mark.parametrize(("more", "code"), [([], 0), (["--allow-nan"], 2)])
def test_only_the_same_may_be_made_again(
    more: list[str], code: int, run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    arguments = ("predict", tiny_bundle, "--output-dir", tmp_path / "out", *options(images))
    assert run_command(*arguments) == 0
    assert run_command(*arguments, *more) == code


def test_names_with_dots_stay_whole(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    for name in ("1.2.840.1", "1.2.840.2"):
        images["FLAIR"] = images["FLAIR"].rename(tmp_path / f"{name}.nii.gz")
        assert run_command("predict", tiny_bundle, "--output-dir", tmp_path / "out", *options(images)) == 0
        assert (tmp_path / "out" / f"{name}_label-lesion_mask.nii.gz").is_file()


def test_descriptions_of_others_stay(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tiny_dataset: Path
) -> None:
    description = tiny_dataset / "dataset_description.json"
    description.write_text('{"Name": "heads", "DatasetType": "raw"}')
    assert run_command("predict", tiny_bundle, "--output-dir", tiny_dataset, *options(images)) == 0
    assert json.loads(description.read_text())["Name"] == "heads"


def test_a_mask_in_a_datalist_counts(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    brain = np.zeros(SHAPE, dtype=np.uint8)
    brain[:12] = 1
    write_image(tmp_path / "brain.nii.gz", brain)
    entry = {"image": {name: str(path) for name, path in images.items()}, "mask": "brain.nii.gz"}
    (tmp_path / "list.json").write_text(json.dumps([entry]))
    arguments = ("--output-dir", tmp_path / "out", "--dataset-dir", tmp_path / "list.json")
    assert run_command("predict", tiny_bundle, *arguments) == 0
    np.testing.assert_array_equal(mask_of(tmp_path / "out"), lesion_mask() * brain)


def test_files_of_one_name_in_a_datalist_have_distinct_results(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    entries = []
    for patient in ("p1", "p2"):
        copies = {name: tmp_path / patient / f"{name}.nii.gz" for name in images}
        for name, copy in copies.items():
            write_image(copy, np.asarray(nib.load(images[name]).dataobj))
        entries.append({"image": {name: str(copy) for name, copy in copies.items()}})
    (tmp_path / "list.json").write_text(json.dumps(entries))
    arguments = ("--output-dir", tmp_path / "out", "--dataset-dir", tmp_path / "list.json")
    assert run_command("predict", tiny_bundle, *arguments) == 0
    found = sorted(path.name for path in (tmp_path / "out").glob("*_mask.nii.gz"))
    assert found == [f"{patient}_FLAIR_label-lesion_mask.nii.gz" for patient in ("p1", "p2")]


@pytest.mark.parametrize("option", ["--subject", "--subjects"])
def test_goes_on_without_what_is_incomplete_or_not_wanted(
    option: str,
    run_command: Run,
    tiny_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tiny_dataset / "sub-01" / "anat" / "sub-01_T2w.nii.gz").unlink()
    arguments = ("--dataset-dir", tiny_dataset, "--output-dir", tmp_path / "out")
    assert run_command("predict", tiny_bundle, *arguments) == 2
    assert "choose others by --subject, or give --skip-incomplete" in capsys.readouterr().err
    assert run_command("predict", tiny_bundle, *arguments, option, "02") == 0
    assert run_command("predict", tiny_bundle, *arguments, "--skip-incomplete") == 0
    assert "sub-01 has no T2w image: left out" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").glob("sub-*")] == ["sub-02"]


def test_a_selection_of_named_files_is_refused(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--output-dir", tmp_path / "out", "--session", "1", *options(images))
    assert run_command("predict", tiny_bundle, *arguments) == 2
    assert "have no meaning without --dataset-dir" in capsys.readouterr().err


def test_regions_without_dataset_are_refused(
    run_command: Run, tiny_bundle: Path, images: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("predict", tiny_bundle, "--output-dir", tmp_path / "out", *options(images), "--regions", "qsm/dseg")
    assert run_command(*arguments) == 2
    assert "--regions qsm/dseg: has no meaning without --dataset-dir" in capsys.readouterr().err


def test_only_a_dataset_gets_a_table(
    run_command: Run, tiny_bundle: Path, tiny_dataset: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    one, all_of_them = tmp_path / "one", tmp_path / "all"
    assert run_command("predict", tiny_bundle, "--output-dir", one, *options(images)) == 0
    assert not list(one.rglob("*.tsv"))
    assert run_command("predict", tiny_bundle, "--output-dir", all_of_them, "--dataset-dir", tiny_dataset) == 0
    assert len((all_of_them / "tiny.tsv").read_text().splitlines()) == 3
