"""Cross-scale attention of given queries, keys and values."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import CrossScaleMatching, cross_scale_affinity, cross_scale_attention
from mri_attention.networks.blocks import streamed_cross_scale as streamed
from tests.helpers import fixture

SIZES = [(6, 4, 8), (7, 5, 3), (9, 6), (1, 2, 5)]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"scale": 3},
    {"stride": 1},
    {"padding": "replicate", "overlap": 6.0},
    {"logit_scale": 3.0, "normalize_keys": True, "overlap": "none"},
    {"patch_size": 5, "stride": 3},
    {"window": 1, "stride": 1},
    {"top_k": 2},
    {"window": 2, "top_k": 3, "stride": 1},
]


def inputs(size: tuple[int, ...], scale: int = 2, batch: int = 2, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of 3, 3 and 2 channels."""
    generator = torch.Generator().manual_seed(0)
    coarse = tuple(max(1, n // scale) for n in size)
    shapes = (batch, 3, *size), (batch, 3, *coarse), (batch, 2, *size)
    q, k, v = (torch.randn(shape, generator=generator, dtype=torch.float64).to(**kwargs) for shape in shapes)
    return q, k, v


def at(features: Tensor, place: tuple[int, ...], padding: str) -> Tensor:
    """One voxel of ``(c, *spatial)``, which may lie outside."""
    inside = tuple(min(max(i, 0), n - 1) for i, n in zip(place, features.shape[1:], strict=True))
    value = features[(slice(None), *inside)]
    return value if inside == place or padding == "replicate" else torch.zeros_like(value)


def patch(features: Tensor, corner: tuple[int, ...], length: int, padding: str) -> Tensor:
    offsets = product(range(length), repeat=len(corner))
    places = (tuple(c + o for c, o in zip(corner, offset, strict=True)) for offset in offsets)
    return torch.stack([at(features, place, padding) for place in places], 1)


def by_loops(q: Tensor, k: Tensor, v: Tensor, m: CrossScaleMatching) -> Tensor:
    """Eqs. 6 to 8 of one image, patch by patch and voxel by voxel."""
    p, s, r, low = m.patch_size, m.stride, m.scale, m.patch_size // 2
    starts = [list(product(*(range(0, n, s) for n in features.shape[1:]))) for features in (q, k)]
    result, count = (torch.zeros(len(v), *(r * n for n in q.shape[1:]), dtype=v.dtype) for _ in range(2))
    for i in starts[0]:
        query = patch(q, tuple(a - low for a in i), p, m.padding)
        logits = []
        for j in starts[1]:
            key = patch(k, tuple(a - low for a in j), p, m.padding)
            key = key / key.norm().clamp(min=1e-4) if m.normalize_keys else key
            last = [(math.ceil(n / s) - 1) * s * r for n in k.shape[1:]]
            apart = (abs(r * b - min(a, end)) for a, b, end in zip(i, j, last, strict=True))
            far = m.window is not None and max(apart) > r * m.window * s
            logits.append(torch.tensor(-math.inf, dtype=q.dtype) if far else m.logit_scale * (query * key).sum())
        stacked = torch.stack(logits)
        if m.top_k is not None:
            stacked[stacked < stacked.sort(descending=True).values[: m.top_k][-1]] = -math.inf
        corners = (tuple(r * (b - low) for b in j) for j in starts[1])
        y = sum(w * patch(v, c, r * p, m.padding) for w, c in zip(stacked.softmax(0), corners, strict=True))
        for n, offset in enumerate(product(range(r * p), repeat=len(i))):
            place = tuple(r * (a - low) + o for a, o in zip(i, offset, strict=True))
            if all(0 <= a < size for a, size in zip(place, result.shape[1:], strict=True)):
                result[(slice(None), *place)] += y[:, n]
                count[(slice(None), *place)] += 1
    assert count.min() >= 1
    return result / count if m.overlap == "count" else result / (1 if m.overlap == "none" else m.overlap)


@pytest.mark.parametrize("path", ["literal", "streamed"])
@pytest.mark.parametrize("options", [*OPTIONS, {"scale": 3, "window": 1, "padding": "replicate"}], ids=str)
def test_equals_loops_over_patches(options: dict[str, Any], path: str) -> None:
    matching = CrossScaleMatching(**options, path=path)
    for size in [(7, 5), (4, 3, 2)]:
        q, k, v = inputs(size, matching.scale, batch=1)
        expected = by_loops(q[0], k[0], v[0], matching)
        torch.testing.assert_close(cross_scale_attention(q, k, v, matching)[0], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("path", ["literal", "streamed"])
@pytest.mark.parametrize(("overlap", "output"), [("none", "raw"), ("count", "normalised")])
def test_gives_the_numbers_of_the_reference(overlap: str, output: str, path: str) -> None:
    data = fixture("cst_bruteforce_x2_6x4x8")
    matching = CrossScaleMatching(overlap=overlap, path=path)
    result = cross_scale_attention(*(data["inputs"][name] for name in "QKV"), matching)
    torch.testing.assert_close(result, data["outputs"][output], rtol=0, atol=1e-10)


def test_counts_overlaps_as_the_reference() -> None:
    grid, expected = CrossScaleMatching().grid((6, 4, 8)), fixture("cst_bruteforce_x2_6x4x8")["outputs"]["count"]
    counts = [grid.overlaps(axis) for axis in range(3)]
    product_of_axes = counts[0][:, None, None] * counts[1][:, None] * counts[2]
    torch.testing.assert_close(grid.crop(product_of_axes[None, None]).to(expected), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_both_paths_agree_in_any_split(
    size: tuple[int, ...], options: dict[str, Any], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    q, k, v = inputs(size, options.get("scale", 2), dtype=dtype)
    literal = cross_scale_attention(q, k, v, CrossScaleMatching(**options, path="literal"))
    for n_bytes in (2**26, 2000):
        monkeypatch.setattr(streamed, "CHUNK_BYTES", n_bytes)
        result = cross_scale_attention(q, k, v, CrossScaleMatching(**options, path="streamed"))
        torch.testing.assert_close(result, literal, rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-10)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_both_paths_have_the_same_gradients(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "CHUNK_BYTES", 2000)
    gradients = []
    for path in ("literal", "streamed"):
        leaves = [x.requires_grad_() for x in inputs((5, 4, 6), options.get("scale", 2))]
        cross_scale_attention(*leaves, CrossScaleMatching(**options, path=path)).square().sum().backward()
        gradients.append([leaf.grad for leaf in leaves])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-10)


def test_streamed_gradient_is_that_of_differences() -> None:
    matching = CrossScaleMatching(path="streamed")
    leaves = [x.requires_grad_() for x in inputs((3, 4), batch=1)]
    assert torch.autograd.gradcheck(lambda q, k, v: cross_scale_attention(q, k, v, matching), leaves)


@pytest.mark.parametrize("path", ["literal", "streamed"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_constant_values_stay_constant_if_replicated(size: tuple[int, ...], path: str) -> None:
    q, k, v = inputs(size)
    result = cross_scale_attention(q, k, torch.full_like(v, 5.0), CrossScaleMatching(padding="replicate", path=path))
    torch.testing.assert_close(result, torch.full_like(result, 5.0))


def test_zeros_darken_the_border_of_constant_values() -> None:
    """In 3D to 0.63 of the value at the least (measured), which replicating avoids."""
    q, k, v = inputs((8, 8, 8))
    result = cross_scale_attention(torch.zeros_like(q), k, torch.ones_like(v), CrossScaleMatching())
    assert result.max() <= 1 + 1e-12
    assert result.min() < 0.9


def test_is_linear_in_values_and_keeps_the_order_of_samples() -> None:
    (q, k, v), matching = inputs((6, 4, 8)), CrossScaleMatching()
    result = cross_scale_attention(q, k, v, matching)
    torch.testing.assert_close(cross_scale_attention(q, k, 3 * v, matching), 3 * result)
    torch.testing.assert_close(cross_scale_attention(q.flip(0), k.flip(0), v.flip(0), matching), result.flip(0))


def test_shifting_a_periodic_image_by_a_period_of_patches_shifts_the_result() -> None:
    """A shift by scale times stride is one by a stride of keys, away from the border."""
    pattern = torch.randn(1, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    image, shifted = (pattern.roll(shift, 2).repeat(1, 1, 5, 1) for shift in (0, 4))

    def attended(x: Tensor) -> Tensor:
        coarse = x.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).mean((3, 5))
        return cross_scale_attention(x, coarse, x, CrossScaleMatching(window=2))

    torch.testing.assert_close(attended(image)[:, :, 24:48], attended(shifted)[:, :, 32:56])


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_affinities_sum_to_one_and_are_as_sparse_as_asked(options: dict[str, Any]) -> None:
    q, k, _ = inputs((9, 8, 7), options.get("scale", 2))
    weights = cross_scale_affinity(q, k, CrossScaleMatching(**options))
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (weights > 0).sum(-1).max() <= options.get("top_k", weights.shape[-1])
    if "window" in options:
        assert (weights > 0).sum(-1).max() <= (2 * options["window"] + 1) ** 3


def test_half_precision_values_keep_their_type() -> None:
    q, k, v = inputs((6, 4, 8), dtype=torch.bfloat16)
    for path in ("literal", "streamed"):
        result = cross_scale_attention(q, k, v, CrossScaleMatching(path=path))
        expected = cross_scale_attention(q.double(), k.double(), v.double(), CrossScaleMatching(path=path))
        assert result.dtype == torch.bfloat16
        torch.testing.assert_close(result.double(), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 1}, "scale must not be below 2, got 1"),
        ({"stride": 3}, "patches of size 3 leave holes at stride 3"),
        ({"stride": 0}, "leave holes at stride 0"),
        ({"overlap": "mean"}, "overlap must be .* got 'mean'"),
        ({"padding": "reflect"}, "padding must be one of zeros, replicate, got 'reflect'"),
        ({"path": "fast"}, "path must be one of auto, literal, streamed, got 'fast'"),
        ({"window": 0}, "window and top_k must be positive"),
        ({"top_k": -1}, "window and top_k must be positive"),
    ],
    ids=str,
)
def test_rejects_other_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CrossScaleMatching(**options)


def test_rejects_sizes_that_do_not_fit() -> None:
    q, k, v = inputs((6, 4, 8))
    with pytest.raises(ValueError, match=r"need keys of size \(3, 2, 4\), got \(6, 4, 8\)"):
        cross_scale_attention(q, q, v, CrossScaleMatching())
    with pytest.raises(ValueError, match=r"need values of that size, got \(3, 2, 4\)"):
        cross_scale_attention(q, k, k, CrossScaleMatching())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_few_of_many_keys_are_gathered(dtype: torch.dtype) -> None:
    q, k, v = inputs((16, 18), dtype=dtype)
    results = [
        cross_scale_attention(q, k, v, CrossScaleMatching(stride=1, top_k=3, path=path))
        for path in ("literal", "streamed")
    ]
    torch.testing.assert_close(*results, rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-10)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_exports_take_the_same_sums(
    size: tuple[int, ...], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    matching = CrossScaleMatching(**options)
    given = inputs(size, matching.scale)
    expected = cross_scale_attention(*given, matching)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    torch.testing.assert_close(cross_scale_attention(*given, matching), expected)
