"""Tests of contrasts that a program hands over in memory."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from mri_attention.datasets import InputError
from mri_attention.transforms import LoadContrastsd, LoadFineContrastsd, SaveDerivatived
from tests.transforms.heads import CONTRASTS, GRID, patient, tensor

OPTIONAL = ("T1w", "T2w")


def loaded(image: object, **options: object) -> torch.Tensor:
    given = {"contrasts": CONTRASTS, "optional": OPTIONAL, **options}
    found = LoadContrastsd("image", **given)({"image": image})["image"]  # type: ignore[arg-type]
    assert isinstance(found, torch.Tensor)
    return found


def test_contrasts_are_those_of_the_files(tmp_path: Path) -> None:
    files = loaded(patient(tmp_path))
    taken = loaded(files)
    torch.testing.assert_close(taken.as_tensor(), files.as_tensor(), rtol=0, atol=0)
    np.testing.assert_array_equal(taken.affine, GRID)
    assert "filename_or_obj" not in taken.meta


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 4, 5, 6)])
def test_one_image_is_the_reference_and_the_others_are_missing(
    shape: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    image = loaded(torch.ones(shape, dtype=torch.int16))
    assert image.dtype == torch.float32
    assert [bool(channel.any()) for channel in image] == [False, False, True]
    assert image.meta["missing"] == "T1w\nT2w"
    assert "image in memory: comes without T1w and T2w" in caplog.text


@pytest.mark.parametrize(
    ("image", "options", "problem"),
    [
        (torch.ones(2, 4, 5, 6), {}, r"shape \(2, 4, 5, 6\); stack T1w, T2w, FLAIR"),
        (torch.ones(4, 5), {}, r"shape \(4, 5\)"),
        (torch.ones(4, 5, 6), {"optional": ()}, "its T1w and T2w is zero everywhere"),
        (torch.full((4, 5, 6), torch.nan), {}, "NaN or Inf"),
    ],
)
def test_what_cannot_be_taken_is_refused(image: torch.Tensor, options: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        loaded(image, **options)


def test_values_that_are_not_finite_become_zero_if_they_may() -> None:
    values = torch.ones(4, 5, 6)
    values[0, 0, 0] = torch.inf
    assert loaded(values, allow_nan=True)[2, 0, 0, 0] == 0


def test_an_image_in_memory_is_not_enlarged() -> None:
    with pytest.raises(InputError, match="give a file for each contrast"):
        LoadFineContrastsd("image", ("T2w", "T1w"), "T2w")({"image": torch.ones(2, 4, 5, 6)})


def test_results_of_it_are_not_written_which_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    result = tensor(np.ones((4, 5, 6), np.float32))
    with caplog.at_level(logging.WARNING):
        out = SaveDerivatived("pred", tmp_path / "out", "Chimap")(
            {"image": loaded(torch.ones(4, 5, 6)), "pred": result}
        )
    assert out["pred"] is result
    assert not (tmp_path / "out").exists()
    assert "handed over and not written" in caplog.text
