"""Tests of extracting brains, and of the warning where a skull is left."""

import logging
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Orientation

from mri_attention.datasets import InputError, read_volume
from mri_attention.simulation.cohort import simulate_dataset
from mri_attention.transforms import ApplyBrainMaskd, ExtractBraind, WarnOfSkulld, brain_extraction, brain_network
from mri_attention.transforms.brain_extraction import extract_brain
from tests.transforms.skulls import ball, head

REAL = Path(__file__).parents[3] / "shared" / "data"
VISITS = sorted(
    {path.with_name(path.name.rpartition("_")[0]) for path in REAL.glob("multicontrast_2d*/sub-*/ses-*/anat/*.nii.gz")}
)
logger = logging.getLogger(__name__)


def has_deepbet() -> bool:
    try:
        return bool(distribution("deepbet"))
    except PackageNotFoundError:
        return False


needs_deepbet = pytest.mark.skipif(not has_deepbet(), reason="needs deepbet")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Put a ball in the place of deepbet's network; collects the images that it is given."""
    given: list[torch.Tensor] = []

    def find(image: torch.Tensor, device: Any) -> np.ndarray:
        given.append(image)
        return ball(image)

    monkeypatch.setattr(brain_extraction, "find_brain", find)
    monkeypatch.setattr(brain_extraction, "require_deepbet", lambda: None)
    return given


def contrasts(*skulls: bool) -> MetaTensor:
    """Stack heads with skull or without, scaled by 1, 2, ... as the channels of one image."""
    heads = [head(skull) for skull in skulls]
    names = ("T1w", "T2w", "FLAIR")[: len(skulls)]
    sources = "\n".join(f"sub-01_{name}.nii.gz" for name in names)
    channels = torch.cat([n * image.as_tensor() for n, image in enumerate(heads, 1)])
    return MetaTensor(channels, affine=heads[0].affine, meta=heads[0].meta | {"sources": sources})


def test_missing_contrasts_show_no_skull_and_the_others_keep_their_names(
    stand_in: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    image = contrasts(True, True, True)
    image[:2] = 0
    image.meta |= {"missing": "T1w\nT2w", "sources": "sub-01_FLAIR.nii.gz"}
    WarnOfSkulld()({"image": image})
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["sub-01_FLAIR.nii.gz"]
    assert ExtractBraind()({"image": image})["brain"].meta["filename_or_obj"] == "sub-01_FLAIR.nii.gz"
    torch.testing.assert_close(torch.as_tensor(stand_in[0]), image.as_tensor()[2])


@pytest.mark.parametrize(
    ("skulls", "number"),
    [((True, True, True), 1), ((False, True, True), 3), ((False, True, False), 2)],
    ids=["T1w", "FLAIR", "T2w"],
)
def test_the_brain_is_looked_for_in_the_best_contrast_with_skull(
    skulls: tuple[bool, ...], number: int, stand_in: list[torch.Tensor]
) -> None:
    image = contrasts(*skulls)
    out = ExtractBraind()({"image": image})
    assert len(stand_in) == 1
    torch.testing.assert_close(torch.as_tensor(stand_in[0]), image.as_tensor()[number - 1])
    assert out["brain"].dtype == torch.uint8
    assert torch.equal(out["image"], image)


def test_the_mask_hides_the_skull_and_nothing_else(stand_in: list[torch.Tensor]) -> None:
    image = contrasts(True, True, True)
    masked = ApplyBrainMaskd()(ExtractBraind()({"image": image}))
    inside = torch.from_numpy(ball(image[0]))
    torch.testing.assert_close(masked["image"].as_tensor(), image.as_tensor() * inside, rtol=0, atol=0)
    assert torch.equal(masked["mask"][0].as_tensor().bool(), inside)


@pytest.mark.parametrize("axcodes", ["RAS", "LPS", "PIR", "ASL"])
def test_the_mask_lies_on_the_images_own_grid(axcodes: str, stand_in: list[torch.Tensor]) -> None:
    lopsided = head()
    lopsided[0, 45:] = 0
    image = Orientation(axcodes=axcodes, labels=None)(lopsided)
    mask = extract_brain(image)
    assert torch.equal(mask.affine, image.affine)
    expected = Orientation(axcodes=axcodes, labels=None)(MetaTensor(ball(lopsided[0])[None], affine=lopsided.affine))
    np.testing.assert_array_equal(mask.numpy(), expected.numpy())
    torch.testing.assert_close(torch.as_tensor(stand_in[0]), lopsided[0].as_tensor())


def test_a_given_mask_wins(stand_in: list[torch.Tensor]) -> None:
    data = {"image": contrasts(True, True, True), "mask": "brain.nii.gz"}
    assert ExtractBraind()(data) == data
    assert not stand_in


def test_an_extracted_brain_is_left_alone_and_told(
    stand_in: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    out = ExtractBraind()({"image": contrasts(False, False, False)})
    assert out.keys() == {"image"}
    assert not stand_in
    (record,) = caplog.records
    assert "sub-01_T1w.nii.gz: shows a brain without skull already" in record.getMessage()


def test_an_image_without_brain_is_refused(monkeypatch: pytest.MonkeyPatch, stand_in: list[torch.Tensor]) -> None:
    monkeypatch.setattr(brain_extraction, "find_brain", lambda image, device: None)
    with pytest.raises(InputError, match=r"sub-01_T1w.nii.gz: no brain was found"):
        extract_brain(head())


def test_a_brain_of_unlikely_size_is_told(
    monkeypatch: pytest.MonkeyPatch, stand_in: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(brain_extraction, "find_brain", lambda image, device: np.ones(tuple(image.shape), bool))
    extract_brain(head())
    assert "the brain that was found has 5702 ml" in caplog.text


def test_deepbet_that_is_missing_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(brain_network, "distribution", missing)
    with pytest.raises(InputError, match=r"deepbet, which is not installed; install it, pip install --no-deps"):
        ExtractBraind()


@needs_deepbet
def test_models_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brain_network, "SHA256", {"model.pt": "0" * 64})
    with pytest.raises(InputError, match=r"model.pt: is not the model of deepbet 1.0.2"):
        ExtractBraind()


@needs_deepbet
@pytest.mark.slow
def test_no_brain_is_found_in_nothing() -> None:
    assert brain_network.find_brain(torch.zeros(20, 20, 20)) is None


@needs_deepbet
@pytest.mark.slow
def test_finds_the_brain_of_a_simulated_head(tmp_path: Path) -> None:
    simulate_dataset(tmp_path, n_subjects=1, spacing=2.0, skull=True)
    truth = read_volume(tmp_path / "derivatives/simulator/sub-001/anat/sub-001_desc-brain_mask.nii.gz") > 0
    for contrast in ("T1w", "FLAIR"):
        found = extract_brain(read_volume(tmp_path / f"sub-001/anat/sub-001_{contrast}.nii.gz")) > 0
        dice = float(2 * (found & truth).sum() / (found.sum() + truth.sum()))
        logger.info("simulated head, %s: Dice coefficient %.3f", contrast, dice)
        assert dice > 0.95


@needs_deepbet
@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data")
@pytest.mark.parametrize("stem", VISITS, ids=lambda stem: stem.name)
def test_contrasts_of_a_real_head_agree_on_its_brain(stem: Path) -> None:
    images = [Path(f"{stem}_{contrast}.nii.gz") for contrast in ("T1w", "FLAIR", "T2w")]
    volumes = {}
    for path in filter(Path.exists, images):
        mask = extract_brain(read_volume(path))
        volumes[path.name] = float(mask.sum() * torch.linalg.det(mask.affine[:3, :3]).abs()) / 1000
        logger.info("%s: %.0f ml", path.name, volumes[path.name])
    assert all(1250 < volume < 1650 for volume in volumes.values())
    assert max(volumes.values()) < 1.06 * min(volumes.values())


@pytest.mark.parametrize(
    ("skulls", "told"),
    [
        ((True, True, True), "sub-01_T1w.nii.gz: shows the head with its skull (so do T2w, FLAIR), and"),
        ((False, False, True), "sub-01_FLAIR.nii.gz: shows the head with its skull, and"),
    ],
)
def test_a_skull_is_told_once_with_file_and_remedy(
    skulls: tuple[bool, ...], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    image = contrasts(*skulls)
    assert torch.equal(WarnOfSkulld()({"image": image})["image"], image)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert told in record.getMessage()
    assert record.getMessage().endswith("set `brain_extraction` to true or give `mask`")


def test_nothing_is_told_of_brains_nor_of_heads_with_mask(caplog: pytest.LogCaptureFixture) -> None:
    WarnOfSkulld()({"image": contrasts(False, False, False)})
    WarnOfSkulld()({"image": contrasts(True, True, True), "mask": "brain.nii.gz"})
    assert not caplog.records
