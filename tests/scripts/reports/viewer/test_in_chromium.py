"""A page of the viewer in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mri_attention.metrics.lesion_places import Lesion
from mri_attention.scripts.reports.viewer import Shown, ViewerPage, write_page
from tests.scripts.reports.viewer.chromium import Chromium

TITLE = "sub-<script>window.ran = true</script>\"'&01"
SHAPE = (40, 48, 32)
AFFINE = np.array([[1.0, 0, 0, -20], [0, 1, 0, -30], [0, 0, 1.5, -10], [0, 0, 0, 1]])
CYAN = (63, 208, 255)


def head_page() -> ViewerPage:
    """Return a head with a large lesion on the right, and a small one on the left."""
    x, y, z = np.indices(SHAPE)
    distance = ((x - 19.5) / 18) ** 2 + ((y - 23.5) / 22) ** 2 + ((z - 15.5) / 14) ** 2
    head = np.where(distance < 1, 80.0, 0).astype(np.float32)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[28:33, 20:26, 12:18] = True
    mask[6:8, 24, 16] = True
    centers = [tuple((AFFINE @ voxel)[:3].tolist()) for voxel in ([30, 22, 14, 1], [6, 24, 16, 1])]
    lesions = [Lesion(n, 0.2 / n, center, "other", 0.75) for n, center in enumerate(centers, start=1)]
    images = [Shown("T1w", head, (0, 102)), Shown("FLAIR", 100 - head, (0, 102), "a.u.")]
    overlays = [Shown("lesions", mask, (0.5, 1), colors="lesions", is_shown=True)]
    return ViewerPage(TITLE, "2 lesions", AFFINE, images, overlays, lesions)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    folder = tmp_path_factory.mktemp("viewer")
    with Chromium(folder / "profile") as chromium:
        chromium.open(write_page(head_page(), folder / "sub#1_viewer.html"))
        yield chromium


@pytest.fixture(autouse=True)
def as_at_first(browser: Chromium) -> None:
    browser.evaluate("viewer.hidden = false; viewer.setOpacity(100); viewer.choose(0); viewer.goTo(viewer.data.start)")


def place_of(browser: Chromium) -> list[float]:
    return list(browser.evaluate("[...viewer.nv.frac2mm(viewer.nv.scene.crosshairPos, 0, true)].slice(0, 3)"))


def columns_of_lesions(browser: Chromium) -> np.ndarray:
    """Return the columns of the axial picture, as shares of its width, where the color of lesions is."""
    picture = browser.picture()
    width = round(0.62 * browser.evaluate("document.getElementById('canvas').clientWidth"))
    hit = abs(picture[:, :width] - CYAN).max(axis=-1) < 40
    return np.flatnonzero(hit.sum(axis=0) > 5) / width


def test_asks_for_nothing_and_complains_of_nothing(browser: Chromium) -> None:
    addresses = [address for address in browser.requests if not address.startswith(("data:", "about:"))]
    assert len(addresses) == 1
    assert addresses[0].startswith("file://")
    assert browser.complaints == []


def test_signs_in_names_stay_signs(browser: Chromium) -> None:
    assert browser.evaluate("document.title") == TITLE
    assert browser.evaluate("document.querySelector('h1').textContent") == TITLE
    assert browser.evaluate("window.ran") is None


def test_scripts_that_come_later_do_not_run(browser: Chromium) -> None:
    browser.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.late = 1'}))")
    assert browser.evaluate("window.late") is None
    browser.complaints.clear()


def test_nothing_can_be_fetched(browser: Chromium) -> None:
    assert browser.evaluate("fetch('https://localhost:1/').then(() => 'sent', (error) => error.name)") == "TypeError"
    blocked = "Content Security Policy"
    assert any(blocked in complaint for complaint in browser.complaints)
    browser.complaints.clear()


def test_begins_at_the_largest_lesion(browser: Chromium) -> None:
    np.testing.assert_allclose(place_of(browser), AFFINE[:3] @ [30, 22, 14, 1], atol=1e-3)


def test_a_click_goes_to_the_center_of_a_lesion(browser: Chromium) -> None:
    browser.evaluate("document.querySelectorAll('#lesions tbody button')[1].click()")
    np.testing.assert_allclose(place_of(browser), head_page().lesions[1].center, atol=1e-3)
    assert browser.evaluate("document.querySelector('tr[aria-current=true] button').textContent") == "2"
    told = browser.evaluate("document.getElementById('place').textContent")
    assert told == "L 14.0, P 6.0, S 14.0 mm\nT1w: 80; lesions: 1"


@pytest.mark.parametrize(
    ("key", "step"),
    [("ArrowUp", (0, 0, 1.5)), ("ArrowDown", (0, 0, -1.5)), ("ArrowLeft", (1, 0, 0)), ("PageUp", (0, 1, 0))],
)
def test_keys_scroll_by_a_slice(key: str, step: tuple[float, ...], browser: Chromium) -> None:
    before = np.array(place_of(browser))
    browser.press(key)
    np.testing.assert_allclose(place_of(browser), before + step, atol=1e-3)


def test_the_wheel_scrolls_the_plane_below_it(browser: Chromium) -> None:
    before = place_of(browser)
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=200, y=400, deltaX=0, deltaY=120)
    browser.evaluate("new Promise((done) => setTimeout(done, 300))")
    moved = np.array(place_of(browser)) - before
    assert abs(moved[2]) > 1
    np.testing.assert_allclose(moved[:2], 0, atol=1e-3)


def test_the_right_lesion_is_on_the_left_of_the_picture(browser: Chromium) -> None:
    columns = columns_of_lesions(browser)
    assert len(columns)
    assert columns.max() < 0.5


def test_neurological_pictures_have_it_on_the_right(browser: Chromium) -> None:
    choose = (
        "const sides = document.getElementById('sides'); sides.value = '{}'; sides.dispatchEvent(new Event('change'))"
    )
    browser.evaluate(f"(() => {{ {choose.format('neurological')} }})()")
    columns = columns_of_lesions(browser)
    browser.evaluate(f"(() => {{ {choose.format('radiological')} }})()")
    assert len(columns)
    assert columns.min() > 0.5


def test_opacity_fades_the_overlay(browser: Chromium) -> None:
    assert len(columns_of_lesions(browser))
    browser.evaluate("viewer.setOpacity(20)")
    assert len(columns_of_lesions(browser)) == 0


def test_space_hides_the_overlay_and_shows_it_again(browser: Chromium) -> None:
    browser.press(" ")
    assert len(columns_of_lesions(browser)) == 0
    browser.press(" ")
    assert len(columns_of_lesions(browser))


def test_numbers_choose_the_image_at_the_same_place(browser: Chromium) -> None:
    before = place_of(browser)
    browser.press("2")
    assert place_of(browser) == before
    assert "FLAIR: 20 a.u." in browser.evaluate("document.getElementById('place').textContent")
    assert browser.evaluate("document.querySelector('#images input:checked').value") == "1"


def test_the_window_is_told_and_can_be_set(browser: Chromium) -> None:
    assert browser.evaluate("[document.getElementById('low').value, document.getElementById('high').value]") == [
        "0",
        "102",
    ]
    dark = browser.picture()
    browser.evaluate("viewer.setWindow(0, 400)")
    assert browser.picture()[:, :700].mean() < dark[:, :700].mean()
    browser.evaluate("document.getElementById('reset').click()")
    assert browser.evaluate("viewer.images[0].cal_max") == 102
