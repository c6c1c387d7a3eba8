"""Tests of the lesion-wise metrics: metrics.lesions, metrics.lesion_matching, metrics.lesion_rates."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor, list_data_collate
from monai.handlers import IgniteMetricHandler
from torch import Tensor

from mri_attention.metrics import (
    LesionMatch,
    LesionMetrics,
    match_lesions,
    size_table,
)

RATES = ("DSC", "LTPR", "LPPV", "L-F1")
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def fixture(name: str) -> dict[str, Any]:
    path = FIXTURES / f"{name}.pt"
    if not path.is_file():
        pytest.skip(f"no fixture {name}")
    return torch.load(path, weights_only=True)


def line(text: str) -> np.ndarray:
    """Return a mask of shape (1, 1, n) with a lesion wherever ``text`` has an x."""
    return np.array([[[letter == "x" for letter in text]]])


def components(mask: np.ndarray, max_steps: int) -> list[set[tuple[int, ...]]]:
    """Find connected components by flood fill, voxel by voxel."""
    steps = [step for step in product((-1, 0, 1), repeat=mask.ndim) if 0 < np.abs(step).sum() <= max_steps]
    left, found = {tuple(map(int, voxel)) for voxel in np.argwhere(mask)}, []
    while left:
        front = [left.pop()]
        component = set(front)
        while front:
            voxel = front.pop()
            reached = {tuple(v + s for v, s in zip(voxel, step, strict=True)) for step in steps} & left
            left -= reached
            component |= reached
            front.extend(reached)
        found.append(component)
    return found


def brute_force(
    prediction: np.ndarray, truth: np.ndarray, max_steps: int, min_overlap: int, min_volume: int
) -> dict[str, float]:
    predicted, true = ([c for c in components(mask, max_steps) if len(c) >= min_volume] for mask in (prediction, truth))
    all_predicted, all_true = set().union(*predicted), set().union(*true)
    n_found = sum(len(c & all_predicted) >= min(min_overlap, len(c)) for c in true)
    n_correct = sum(len(c & all_true) >= min(min_overlap, len(c)) for c in predicted)
    return {
        "DSC": 2 * len(all_predicted & all_true) / (len(all_predicted) + len(all_true)),
        "LTPR": n_found / len(true),
        "LPPV": n_correct / len(predicted),
        "L-F1": 2 / (len(true) / n_found + len(predicted) / n_correct),
        "n_true": len(true),
        "n_found": n_found,
        "n_predicted": len(predicted),
        "n_correct": n_correct,
        "true_volume_ml": len(all_true) / 1000,
        "predicted_volume_ml": len(all_predicted) / 1000,
    }


def random_masks(seed: int, shape: tuple[int, ...], density: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(shape) < density
    return (truth & (rng.random(shape) < 0.8)) | (rng.random(shape) < density / 4), truth


@pytest.mark.parametrize("case", range(4))
def test_agrees_with_the_reference_implementation(case: int) -> None:
    data = fixture("lesion_metrics")["cases"][case]
    match, out = match_lesions(data["pred"], data["true"]), data["out"]
    row = match.as_row()
    expected = {"DSC": out["dice"], "LTPR": out["ltpr"], "LPPV": 1 - out["lfdr"]}
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-15, nan_ok=True)
    assert (row["n_true"], row["n_predicted"]) == (out["n_true"], out["n_pred"])


@pytest.mark.parametrize(("min_overlap", "min_volume"), [(1, 0), (2, 0), (3, 4), (1, 3)])
@pytest.mark.parametrize(
    ("connectivity", "shape", "density"),
    [
        (6, (15, 14, 13), 0.2),
        (18, (15, 14, 13), 0.09),
        (26, (15, 14, 13), 0.06),
        (6, (41, 37), 0.3),
        (18, (41, 37), 0.2),
        (26, (41, 37), 0.2),
    ],
)
def test_agrees_with_flood_fill(
    connectivity: int, shape: tuple[int, ...], density: float, min_overlap: int, min_volume: int
) -> None:
    prediction, truth = random_masks(connectivity, shape, density)
    options = {"min_overlap": min_overlap, "min_volume": min_volume}
    row = match_lesions(prediction, truth, connectivity=connectivity, **options).as_row()
    max_steps = {6: 1, 18: 2, 26: 3}[connectivity]
    assert row == pytest.approx(brute_force(prediction, truth, max_steps, **options), rel=1e-12)


@pytest.mark.parametrize(("connectivity", "n"), [(6, 4), (18, 3), (26, 2)])
def test_connectivity_says_which_neighbors_touch(connectivity: int, n: int) -> None:
    mask = np.zeros((7, 7, 7), dtype=bool)
    for voxel in [(0, 0, 0), (1, 1, 0), (4, 4, 4), (5, 5, 5)]:
        mask[voxel] = True
    assert match_lesions(mask, mask, connectivity=connectivity).as_row()["n_true"] == n


@pytest.mark.parametrize("min_overlap", [1, 2, 100])
def test_perfect_prediction_is_perfect_whatever_the_overlap_asked(min_overlap: int) -> None:
    _, truth = random_masks(0, (8, 8, 8))
    row = match_lesions(truth, truth, min_overlap=min_overlap, connectivity=6).as_row()
    assert [row[name] for name in ("DSC", "LTPR", "LPPV", "L-F1")] == [1, 1, 1, 1]


def test_one_blob_over_two_lesions_makes_the_literal_lppv_exceed_one() -> None:
    match = match_lesions(line("xxxxxxx..."), line("xx...xx..x"))
    assert match.true_positive_rate() == pytest.approx(2 / 3)
    assert match.positive_predictive_value() == 1
    assert match.positive_predictive_value("golden") == 2
    assert match.f1("golden") == pytest.approx(2 * (2 / 3) * 2 / (2 / 3 + 2))


def test_two_fragments_in_one_lesion_find_it_once() -> None:
    match = match_lesions(line("x.x.."), line("xxx.."))
    assert (match.true_positive_rate(), match.positive_predictive_value()) == (1, 1)
    assert match.positive_predictive_value("golden") == 0.5


@pytest.mark.parametrize(("min_overlap", "found"), [(2, True), (3, False)])
def test_overlap_adds_up_over_fragments(min_overlap: int, found: bool) -> None:
    assert match_lesions(line("x.x.."), line("xxxx."), min_overlap=min_overlap).true_hits.tolist() == [found]


def test_small_components_are_as_if_never_drawn() -> None:
    options = {"min_volume": 2}
    drawn = match_lesions(line("x..xx.x...."), line("xx.xx....x."), **options)
    assert drawn.as_row() == match_lesions(line("...xx......"), line("xx.xx......")).as_row()


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (".....", ".....", (math.nan, math.nan, math.nan, math.nan)),
        ("x..x.", ".....", (0, math.nan, 0, 0)),
        (".....", "x..x.", (0, 0, math.nan, 0)),
        ("x....", "..x..", (0, 0, 0, 0)),
    ],
    ids=["both empty", "no true lesion", "no predicted lesion", "all missed"],
)
def test_empty_cases(prediction: str, truth: str, expected: tuple[float, ...]) -> None:
    row = match_lesions(line(prediction), line(truth)).as_row()
    assert [row[name] for name in ("DSC", "LTPR", "LPPV", "L-F1")] == pytest.approx(expected, nan_ok=True)


def test_empty_masks_have_no_lesions_and_no_volume() -> None:
    row = match_lesions(line("..."), line("...")).as_row()
    assert [value for name, value in row.items() if name.startswith("n_") or name.endswith("ml")] == [0] * 6


def test_result_follows_a_mask_that_is_written_into() -> None:
    truth = line("xx.xx")
    assert match_lesions(truth, truth).as_row()["n_true"] == 2
    truth[...] = True
    assert match_lesions(truth, truth).as_row()["n_true"] == 1


def test_shared_result_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="read-only"):
        match_lesions(line("xx"), line("xx")).true_volumes[0] = 7


# Lesions of 2, 6 and 12 mm^3; the prediction finds the second with 2 mm^3 and the third with 12 mm^3.
SIZES = match_lesions(line("x....x.xxxxxx.x"), line("x.xxx..xxxxxx.."), voxel_volume=2)


def test_within_judges_each_lesion_by_its_own_volume() -> None:
    small = SIZES.within(0, 6)
    assert (small.true_volumes.tolist(), small.true_hits.tolist()) == ([2], [True])
    assert (small.predicted_volumes.tolist(), small.predicted_hits.tolist()) == (
        [2, 2, 2],
        [True, False, False],
    )
    assert math.isnan(small.dice)


def test_f1_is_undefined_in_a_range_with_correct_predictions_but_no_true_lesion() -> None:
    match = match_lesions(line("xx..."), line("xxxx.")).within(0, 3)
    assert match.positive_predictive_value() == 1
    assert math.isnan(match.true_positive_rate())
    assert math.isnan(match.f1())


def test_size_table_pools_the_lesions_of_all_cases() -> None:
    table = size_table([SIZES, SIZES, match_lesions(line("..."), line("xx."))], edges=(0, 6, 12, math.inf))
    columns = ("low_mm3", "high_mm3", "n_true", "n_found", "n_predicted", "n_correct", "LTPR")
    assert [tuple(row[name] for name in columns) for row in table] == [
        (0, 6, 3, 2, 6, 2, pytest.approx(2 / 3)),
        (6, 12, 2, 0, 0, 0, 0),
        (12, math.inf, 2, 2, 2, 2, 1),
    ]


def test_rows_of_the_size_table_add_up_to_the_whole() -> None:
    match = match_lesions(*random_masks(1, (20, 20, 20)), connectivity=6)
    whole, table = match.as_row(), size_table([match], edges=(0, 2, 4, math.inf))
    for name in ("n_true", "n_found", "n_predicted", "n_correct", "true_volume_ml", "predicted_volume_ml"):
        assert sum(row[name] for row in table) == pytest.approx(whole[name])


def test_size_table_of_no_case_has_no_lesions() -> None:
    assert [row["n_true"] for row in size_table([])] == [0, 0, 0, 0]


def batch(*masks: np.ndarray, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.stack([torch.as_tensor(mask, dtype=dtype) for mask in masks])[:, None]


PAIRS = [random_masks(seed, (8, 7, 6)) for seed in range(3)]
PREDICTIONS, TRUTHS = (batch(*masks) for masks in zip(*PAIRS, strict=True))


@pytest.mark.parametrize("convert", [Tensor.bool, Tensor.byte, Tensor.double, list, MetaTensor])
def test_metric_takes_batches_and_lists(convert: Callable[[Tensor], Any]) -> None:
    metric = LesionMetrics(connectivity=6)
    values = metric(convert(PREDICTIONS), convert(TRUTHS))
    expected = [list(match_lesions(*pair, connectivity=6).as_row().values()) for pair in PAIRS]
    torch.testing.assert_close(values, torch.tensor(expected))
    torch.testing.assert_close(metric.aggregate(), torch.tensor(expected).mean(0))


def test_metric_names_the_columns_in_order() -> None:
    metric = LesionMetrics()
    metric(PREDICTIONS, TRUTHS)
    assert metric.rows()[1] == pytest.approx(match_lesions(*PAIRS[1]).as_row())


@pytest.mark.parametrize("size_range", [(0, math.inf), [2, 5]])
@pytest.mark.parametrize(
    "columns", ["LTPR", ["n_true"], ["predicted_volume_ml", "L-F1"], ("true_volume_ml", "n_predicted")]
)
def test_columns_are_those_of_the_whole(columns: Any, size_range: Any) -> None:
    options = {"numerator": "golden", "connectivity": 6, "min_overlap": 2, "min_volume": 2}
    some, whole = (
        LesionMetrics(columns, size_range=size_range, **options),
        LesionMetrics(size_range=size_range, **options),
    )
    assert some.names == ((columns,) if isinstance(columns, str) else tuple(columns))
    values, expected = some(PREDICTIONS, TRUTHS), whole(PREDICTIONS, TRUTHS)
    torch.testing.assert_close(values, expected[:, [whole.names.index(name) for name in some.names]])


def test_dice_is_a_column_of_the_whole() -> None:
    values = LesionMetrics("DSC", connectivity=6, min_volume=2)(PREDICTIONS, TRUTHS)
    torch.testing.assert_close(values[:, 0], LesionMetrics(connectivity=6, min_volume=2)(PREDICTIONS, TRUTHS)[:, 0])


@pytest.mark.parametrize("column", RATES)
@pytest.mark.parametrize("reduction", ["mean", "mean_batch"])
def test_empty_case_is_left_out_of_the_mean(column: str, reduction: str) -> None:
    metric, whole = LesionMetrics(column, reduction=reduction), LesionMetrics(column)
    metric(batch(line("xx...."), line("......")), batch(line("x...x."), line("......")))
    whole(batch(line("xx....")), batch(line("x...x.")))
    assert metric.aggregate().item() == whole.aggregate().item() > 0


@pytest.mark.parametrize("column", RATES)
@pytest.mark.parametrize("reduction", ["mean", "mean_batch", "sum", "mean_channel", "none"])
def test_mean_of_empty_cases_only_is_nan(column: str, reduction: str) -> None:
    metric = LesionMetrics(column)
    metric(batch(line("..."), line("...")), batch(line("..."), line("...")))
    assert metric.aggregate(reduction).isnan().all()


@pytest.mark.parametrize("as_list", [False, True], ids=["batch", "list"])
def test_volume_uses_the_affine_of_the_truth(as_list: bool) -> None:
    oblique = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    affine = torch.eye(4)
    affine[:3, :3] = oblique @ torch.diag(torch.tensor([0.5, 2.0, 3.0]))
    truth = [MetaTensor(line("xx.x.")[None], affine=affine), MetaTensor(line("x....")[None])]
    predictions = [torch.as_tensor(line("xxxx.")[None]) for _ in truth]
    metric = LesionMetrics()
    metric(*([predictions, truth] if as_list else map(list_data_collate, (predictions, truth))))
    volumes = [(row["true_volume_ml"], row["predicted_volume_ml"]) for row in metric.rows()]
    assert volumes == [pytest.approx((0.009, 0.012)), pytest.approx((0.001, 0.004))]


def test_oblique_voxels_of_one_cubic_millimeter_keep_lesions_in_their_size_class() -> None:
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        affine = torch.eye(4)
        affine[:3, :3] = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0]
        truth = MetaTensor(batch(line("xxxxxxxxxx")), affine=affine)
        assert LesionMetrics("n_true", size_range=(10, 11))(truth, truth).item() == 1


def test_slices_have_areas_for_volumes() -> None:
    affine = torch.tensor([[0.0, 0, 3, 0], [2, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 0, 1]])
    mask = MetaTensor(torch.ones(1, 1, 10, 10), affine=affine)
    assert LesionMetrics("predicted_volume_ml")(mask, mask).item() == pytest.approx(0.1)


def test_handler_reports_one_number_per_metric() -> None:
    engine = Engine(lambda _, pair: pair)
    for column in RATES:
        metric = LesionMetrics(column)
        IgniteMetricHandler(metric_fn=metric).attach(engine, metric.names[0])
    data = [(PREDICTIONS[:2], TRUTHS[:2]), (PREDICTIONS[2:] * 0, TRUTHS[2:] * 0)]
    for _ in range(2):  # the second epoch must not remember the first
        engine.run(data)
    rows = [match_lesions(*pair).as_row() for pair in PAIRS[:2]]
    assert engine.state.metrics == pytest.approx(
        {name: np.mean([row[name] for row in rows]) for name in engine.state.metrics}
    )
    assert engine.state.metric_details["LTPR"].shape == (3, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connectivity": 8}, "connectivity .* got 8"),
        ({"min_overlap": 0}, "min_overlap .* got 0"),
        ({"min_volume": -1}, "min_volume .* got -1"),
    ],
)
@pytest.mark.parametrize("call", [LesionMetrics, lambda **o: match_lesions(line("x"), line("x"), **o)])
def test_rejects_matching_options_out_of_range(
    call: Callable[..., object], options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call(**options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LesionMetrics(numerator="both"), "numerator .* got 'both'"),
        (lambda: LesionMetrics(size_range=(5, 5)), r"size_range .* \(5, 5\)"),
        (lambda: LesionMetrics(size_range=(-1, 5)), r"size_range .* \(-1, 5\)"),
        (lambda: LesionMetrics(reduction="median"), "median"),
        (lambda: LesionMetrics("DSC2"), "columns must be among DSC, .* got 'DSC2'"),
        (lambda: LesionMetrics(["DSC", "n"]), "columns must be among DSC, .* got"),
        (lambda: LesionMetrics([]), "columns must be among DSC, .* got"),
        (lambda: LesionMetrics().aggregate(), "LesionMetrics has collected no values"),
        (lambda: LesionMetrics().rows(), "LesionMetrics has collected no values"),
        (lambda: SIZES.within(3, 2), r"size_range .* \(3, 2\)"),
        (lambda: SIZES.f1("both"), "numerator .* got 'both'"),
        (lambda: size_table([SIZES], edges=(1,)), r"edges .* got \(1,\)"),
        (lambda: size_table([SIZES], edges=(0, 9, 4)), r"size_range .* \(9, 4\)"),
        (lambda: match_lesions(line("x"), line("x"), voxel_volume=0), "voxel_volume .* got 0"),
        (lambda: match_lesions(line("x"), line("x"), voxel_volume=math.inf), "voxel_volume .* got inf"),
        (lambda: match_lesions(line("x"), line("x.")), r"prediction \(1, 1, 1\), truth \(1, 1, 2\)"),
        (
            lambda: match_lesions(line("x") * 0.5, line("x")),
            "prediction must hold zeros and ones only, got 0.5",
        ),
        (lambda: match_lesions(line("x"), line("x") * 2), "truth must hold zeros and ones only, got 2"),
        (lambda: match_lesions(line("x"), line("x") * math.nan), "truth must hold .* got nan"),
    ],
)
def test_rejects(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (torch.ones(2, 1, 4, 4), torch.ones(1, 1, 4, 4), r"\(2, 1, 4, 4\) and \(1, 1, 4, 4\)"),
        (torch.ones(1, 2, 4, 4), torch.ones(1, 2, 4, 4), r"\(1, 2, 4, 4\) and \(1, 2, 4, 4\)"),
        (torch.ones(2, 1), torch.ones(2, 1), r"\(2, 1\) and \(2, 1\)"),
        (torch.ones(1, 1, 4, 4), None, r"\(1, 1, 4, 4\) and None"),
        ([torch.ones(1, 4)] * 2, [torch.ones(1, 4)], "got 2 predicted masks, 1 true masks"),
        ([torch.ones(1, 4)] * 2, None, "got 2 predicted masks, no true masks"),
    ],
)
def test_metric_rejects_masks_that_do_not_fit(prediction: Any, truth: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LesionMetrics()(prediction, truth)


def test_match_can_be_made_from_own_flags() -> None:
    match = LesionMatch(
        true_volumes=np.array([4.0, 8.0]),
        predicted_volumes=np.array([5.0]),
        true_hits=np.array([True, False]),
        predicted_hits=np.array([True]),
        dice=0.4,
    )
    assert match.f1() == pytest.approx(2 / 3)
