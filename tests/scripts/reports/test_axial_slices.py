"""Tests of volumes as axial pictures."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mri_attention.scripts.reports.axial_slices import foreground_box, load_aligned, radiological, select_slices
from mri_attention.scripts.reports.lesion_figures import overview_figure, segmentation_figure
from mri_attention.scripts.reports.slice_panels import SlicePanels, write_sides
from tests.scripts.conftest import AFFINE, SHAPE, lesion_mask, write_image


def test_right_of_the_patient_is_left_in_the_picture_and_anterior_is_up() -> None:
    volume = np.zeros((4, 6, 1))
    volume[3, 5, 0] = 1  # RAS: last along x is right, last along y is anterior
    picture = radiological(volume, 0, (slice(None), slice(None)))
    assert picture.shape == (6, 4)
    assert np.argwhere(picture).tolist() == [[0, 0]]


def test_loads_any_orientation_as_ras(tmp_path: Path) -> None:
    data = np.zeros(SHAPE, dtype=np.float32)
    data[1, 2, 3] = 1  # AFFINE runs to the left along the first axis
    (image,), _ = load_aligned([write_image(tmp_path / "a.nii", data, AFFINE)], tmp_path / "a.nii")
    assert np.argwhere(image).tolist() == [[SHAPE[0] - 2, 2, 3]]


def test_resamples_to_the_grid_of_the_reference(tmp_path: Path) -> None:
    reference = write_image(tmp_path / "reference.nii", lesion_mask())
    finer = write_image(tmp_path / "finer.nii", lesion_mask().repeat(2, 2), AFFINE @ np.diag([1, 1, 0.5, 1]))
    (image, same), voxel_size = load_aligned([finer, reference], reference, is_label=True)
    assert voxel_size == (1.5, 1.5, 2)
    assert image.shape == same.shape == SHAPE


def test_selects_slices_by_area_that_lie_apart() -> None:
    mask = np.zeros((8, 8, 40), dtype=bool)
    for index, area in {10: 9, 11: 8, 20: 4, 35: 2}.items():
        mask.reshape(64, 40)[:area, index] = True
    assert select_slices(mask, n_slices=3, min_gap=5) == [10, 20, 35]


def test_selects_the_middle_of_an_empty_mask() -> None:
    assert select_slices(np.zeros((8, 8, 40)), n_slices=1) == [20]


def test_box_surrounds_the_foreground() -> None:
    volume = np.zeros((30, 20, 5))
    volume[10:15, 8:9] = 1
    assert foreground_box(volume, margin=2) == (slice(8, 17), slice(6, 11))


@pytest.mark.parametrize("is_empty", [False, True])
def test_figures_are_png_even_without_lesions(is_empty: bool) -> None:
    mask = lesion_mask() * (not is_empty)
    image = np.random.default_rng(0).random(SHAPE)
    voxel_size = (1.5, 1.5, 2.0)
    for picture in (
        segmentation_figure({"T1w": image, "FLAIR": image}, mask, mask, voxel_size),
        overview_figure(image, mask, voxel_size, "title"),
    ):
        assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [1.9, 3.8, 5.7, 11.4])  # inches, of one panel, two, three and six
def test_sides_are_told_within_the_picture(width: float) -> None:
    figure = Figure(figsize=(width, 3), dpi=120)
    write_sides(figure)
    FigureCanvasAgg(figure).draw()
    (text,) = figure.texts
    assert text.get_window_extent().x1 <= figure.bbox.x1


def test_a_voxel_is_marked_where_it_is_shown() -> None:
    image, spot = np.ones((30, 24, 4)), np.zeros((30, 24, 4))
    image[:9] = image[:, 20:] = 0
    spot[14, 3, 1] = 1
    panels = SlicePanels(1, 1, image, (1, 1, 1))
    panels.show(panels.axes[0, 0], spot, 1, (0, 1))
    panels.mark(panels.axes[0, 0], (14, 3, 1), "red")
    (line,), (shown,) = panels.axes[0, 0].lines, panels.axes[0, 0].images
    assert shown.get_array()[int(line.get_ydata()[0]), int(line.get_xdata()[0])] == 1


def test_masks_are_filled_where_they_are_true() -> None:
    mask = lesion_mask() > 0
    panels = SlicePanels(1, 1, np.ones(SHAPE), (1, 1, 1))
    panels.fill(panels.axes[0, 0], mask, 5, "#35c759")
    (shown,) = panels.axes[0, 0].images
    assert shown.get_array().count() == mask[..., 5].sum()
