"""Tests of the report's section on detail beyond the band of the input."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib import image as pictures

from mri_attention.operators import truncate_kspace, zero_fill_kspace
from mri_attention.scripts.reports.detail_section import part_figure, spectrum_figure, spectrum_of
from mri_attention.scripts.reports.written_images import WrittenImages

REFERENCE = np.random.default_rng(0).uniform(1, 2, (32, 24, 6))


def lowered(size: tuple[int, ...] = (16, 12)) -> np.ndarray:
    """Keep half of the band along the first two axes."""
    planes = torch.from_numpy(REFERENCE).movedim(-1, 0)
    return zero_fill_kspace(truncate_kspace(planes, size), planes.shape[1:]).movedim(0, -1).numpy()


def test_an_input_lacks_what_lies_beyond_its_band_and_nothing_else() -> None:
    added = REFERENCE + 0.5 * (lowered() - REFERENCE)
    spectrum = spectrum_of({"input": lowered(), "half": added, "all": REFERENCE}, REFERENCE, 2)
    assert spectrum is not None
    assert spectrum.edge == 0.5
    beyond = spectrum.frequencies > 0.55
    np.testing.assert_allclose(spectrum.errors["input"][beyond], 1, atol=1e-6)
    np.testing.assert_allclose(spectrum.errors["half"][beyond], 0.25, atol=1e-6)
    assert spectrum.errors["input"][spectrum.frequencies < 0.45].max() < 1e-6
    assert spectrum.errors["all"].max() < 1e-12


def test_what_is_invented_has_more_error_than_nothing() -> None:
    invented = lowered() - (REFERENCE - lowered())
    spectrum = spectrum_of({"input": lowered(), "invented": invented}, REFERENCE, 2)
    assert spectrum is not None
    np.testing.assert_allclose(spectrum.errors["invented"][spectrum.frequencies > 0.55], 4, atol=1e-5)


@pytest.mark.parametrize("images", [{"input": REFERENCE}, {"ours": REFERENCE}], ids=["full band", "no input"])
def test_there_is_none_without_an_input_of_a_narrower_band(images: dict[str, np.ndarray]) -> None:
    assert spectrum_of(images, REFERENCE, 2) is None


def test_figures_are_drawn() -> None:
    found = WrittenImages({"input": lowered(), "ours": REFERENCE}, REFERENCE, (1.0, 1.0, 3.0))
    spectrum = spectrum_of(found.images, found.reference, 2)
    assert spectrum is not None
    for png in (part_figure(found), spectrum_figure({"sub-1": spectrum})):
        assert pictures.imread(io.BytesIO(png)).std() > 0.05
