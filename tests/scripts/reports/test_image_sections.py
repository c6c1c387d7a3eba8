"""Tests of pictures of images and their errors, and of the commands with a bundle that makes images."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from mri_attention.datasets import InputError
from mri_attention.scripts.predict import parse_scale
from mri_attention.scripts.reports.image_figures import error_figure, image_overview_figure
from mri_attention.scripts.reports.slice_panels import SlicePanels
from mri_attention.scripts.reports.written_images import image_sections, read_written_images
from mri_attention.scripts.running.evaluation import Evaluation
from mri_attention.scripts.running.written_files import Pictures, WrittenFiles, file_of
from tests.scripts.conftest import AFFINE, INFERENCE, SHAPE, write_image

Run = Callable[..., int]
SPEC = Pictures(result="rec-net_T2w", reference="desc-reference_T2w", input="desc-input_T2w", window=(0, 4))
DOUBLING = """
network_def: {_target_: torch.nn.Conv3d, in_channels: 3, out_channels: 1, kernel_size: 1, bias: false}
scale: 1
target: T2w
kspace: null
pictures: {result: rec-net_T2w, reference: desc-reference_T2w, input: desc-input_T2w}
inferer: "$lambda inputs, network: inputs[:, 1:2] * 2 * @scale"
postprocessing:
  _target_: mri_attention.transforms.save_derivative.SaveDerivatived
  keys: pred
  output_dir: '@output_dir'
  suffixes: rec-net_T2w
"""


def evaluation(tmp_path: Path, name: str, result: float) -> Evaluation:
    """A network whose image is ``result`` where the truth is 2."""
    head = np.zeros(SHAPE, np.float32)
    head[4:-4, 4:-4, 2:-2] = 1
    values = {"rec-net_T2w": result, "desc-reference_T2w": 2.0, "desc-input_T2w": 1.0}
    folder = tmp_path / name
    files = [write_image(folder / f"sub-01_{suffix}.nii.gz", value * head) for suffix, value in values.items()]
    cases = [{"subject": "sub-01", "session": "", "image": ["T1w", "T2w"]}]
    return Evaluation(name, cases, [{"psnr": 12.345}], folder, ["T1w", "T2w"], None, [files], pictures=SPEC)


def test_pictures_hold_every_network_and_the_truth(tmp_path: Path) -> None:
    ours, other = evaluation(tmp_path, "ours", 3.0), evaluation(tmp_path, "other", 2.5)
    written = {"ours": ours.files[0], "other": other.files[0]}
    found = read_written_images(written, SPEC) or pytest.fail("nothing found")
    assert list(found.images) == ["input", "ours", "other"]
    assert (found.images["ours"] - found.reference).max() == 1
    np.testing.assert_allclose(found.voxel_size, [1.5, 1.5, 2])
    (section,) = image_sections([ours, other])
    assert section.pictures[0].caption == "sub-01. PSNR (dB): ours 12.35, other 12.35."
    assert section.pictures[0].png.startswith(b"\x89PNG")


def test_without_written_images_there_are_no_pictures(tmp_path: Path) -> None:
    ours = evaluation(tmp_path, "ours", 3.0)
    assert image_sections([replace(ours, pictures=None)]) == []
    ours.files[0].clear()
    assert read_written_images({"ours": []}, SPEC) is None
    assert image_sections([ours]) == []
    with pytest.raises(InputError, match=r"sub-01: no \*_desc-reference_T2w.nii.gz was written"):
        ours.file(0, SPEC.reference)


def test_error_colors_are_centered_and_bounded() -> None:
    from io import BytesIO

    import matplotlib.image as mpimg

    reference = np.zeros((32, 32, 12), np.float32)
    reference[4:-4, 4:-4, 2:-2] = 1
    colors = {}
    for name, shift in {"none": 0.0, "more": 0.2, "less": -0.2}.items():
        png = error_figure(
            {"net": reference + shift * (reference > 0)}, reference, (1, 1, 1), window=(0, 1), n_slices=1
        )
        picture = mpimg.imread(BytesIO(png))[..., :3]
        rows, columns = picture.shape[:2]
        colors[name] = picture[int(rows * 0.7), int(columns * 0.25)]
    assert np.ptp(colors["none"]) < 0.05  # white
    assert colors["more"][0] > 0.35 > colors["more"][2]  # red
    assert colors["less"][2] > 0.35 > colors["less"][0]  # blue


def test_pictures_leave_out_slices_with_a_speck(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((40, 40, 100))
    image[5:35, 5:35, 40:80] = 1.0
    image[3, 3, [0, 10, 95]] = 1.0
    shown: list[int] = []
    monkeypatch.setattr(SlicePanels, "show", lambda self, axis, volume, index, *_: shown.append(index))
    image_overview_figure(image, (1, 1, 1), "head")
    assert len(shown) >= 4
    assert all(40 <= index < 80 for index in shown)


def test_overview_shows_a_map_of_both_signs() -> None:
    image = np.random.default_rng(0).normal(size=(20, 24, 16)).astype(np.float32)
    assert image_overview_figure(image, (1, 1, 1), "map", (-1, 1)).startswith(b"\x89PNG")


def test_files_and_motions_are_collected_case_by_case() -> None:
    image = MetaTensor(np.zeros((1, 2, 2, 2)), meta={"motion": np.eye(4)[None], "alignment": '{"Reference": "FLAIR"}'})
    batches = [[{"image": image, "pred_path": "a_x.nii.gz", "other": 1}], [{"image": 3.0, "pred_path": "b_x.nii.gz"}]]
    batches[0][0]["sampled"] = torch.tensor([[[[True, False]]]])
    engine = Engine(lambda _, batch: batch)
    written = WrittenFiles(engine)
    engine.run(batches)
    assert written.files == [[Path("a_x.nii.gz")], [Path("b_x.nii.gz")]]
    assert [motion is None for motion in written.motions] == [False, True]
    assert written.alignments == [{"Reference": "FLAIR"}, {}]
    assert written.sampled is not None
    assert written.sampled.tolist() == [[True, False]]
    assert file_of(written.files[0], "x") == Path("a_x.nii.gz")
    assert file_of(written.files[0], "y") is None


@pytest.mark.parametrize(("text", "scale"), [("2", 2), ("1,1,3", [1, 1, 3])])
def test_scales_are_read(text: str, scale: int | list[int]) -> None:
    assert parse_scale(text) == scale


@pytest.mark.parametrize("text", ["0", "x", "1,,2", "1.5"])
def test_other_scales_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a factor"):
        parse_scale(text)


@pytest.fixture
def image_bundle(tmp_path: Path) -> Path:
    """A bundle that doubles the T2w, and again by ``scale``."""
    configs = tmp_path / "doubling" / "configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text(json.dumps({"version": "0.0.1"}))
    (configs / "inference.yaml").write_text(INFERENCE)
    (configs / "doubling.yaml").write_text(DOUBLING)
    (tmp_path / "doubling" / "models").mkdir()
    torch.save({"weight": torch.zeros(1, 3, 1, 1, 1)}, tmp_path / "doubling" / "models" / "model.pt")
    return tmp_path / "doubling"


def test_predict_writes_an_image_with_its_overview(
    run_command: Run, image_bundle: Path, tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anat = tiny_dataset / "sub-01" / "anat"
    images = [word for c in ("T1w", "T2w", "FLAIR") for word in ("--image", f"{c}={anat}/sub-01_{c}.nii.gz")]
    arguments = ("--overlay", "doubling", "--output-dir", tmp_path / "out", "--scale", "3", *images)
    assert run_command("predict", image_bundle, *arguments) == 0
    result = nib.load(tmp_path / "out" / "sub-01" / "anat" / "sub-01_rec-net_T2w.nii.gz")
    np.testing.assert_array_equal(result.get_fdata(), 6 * nib.load(anat / "sub-01_T2w.nii.gz").get_fdata())
    np.testing.assert_array_equal(result.affine, AFFINE)
    assert (tmp_path / "out" / "sub-01" / "anat" / "sub-01_rec-net_overview.png").is_file()
    assert "T2w: 24 x 20 x 16 voxels of 1.50 x 1.50 x 2.00 mm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--echo-time", "0.02"], "Error: --echo-time: has no meaning for doubling"),
        (["--kspace", "none.npz"], "Error: none.npz: no such file; check --kspace"),
    ],
)
def test_options_of_other_bundles_and_missing_kspace_end_with_one_line(
    arguments: list[str],
    message: str,
    run_command: Run,
    image_bundle: Path,
    tiny_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    anat = tiny_dataset / "sub-01" / "anat"
    images = [word for c in ("T1w", "FLAIR") for word in ("--image", f"{c}={anat}/sub-01_{c}.nii.gz")]
    more = () if arguments[0] == "--kspace" else ("--image", f"T2w={anat}/sub-01_T2w.nii.gz")
    everything = ("--overlay", "doubling", "--output-dir", tmp_path / "out", *images, *more, *arguments)
    assert run_command("predict", image_bundle, *everything) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
