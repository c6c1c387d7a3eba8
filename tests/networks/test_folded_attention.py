from itertools import permutations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.blocks import FoldedAttention, LiteralFoldedAttention
from mri_attention.scripts.benchmarks.measurement import count_flops, kept_for_backward
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, fixture

SHAPES = [(2, 4, 5, 7), (1, 4, 4, 3, 5), (2, 3, 1, 6, 2)]
OPTIONS = [{}, {"scale": "sqrt"}, {"recompute": True}, {"residual": False}]


def attention(shape: tuple[int, ...], gamma: float = 0.7, **options: object) -> FoldedAttention:
    torch.manual_seed(0)
    block = FoldedAttention(shape[1], len(shape) - 2, **options)  # type: ignore[arg-type]
    if block.gamma is not None:
        torch.nn.init.constant_(block.gamma, gamma)
    return block


def features(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_keeps_shape_and_is_deterministic(shape: tuple[int, ...], options: dict[str, object]) -> None:
    block, x = attention(shape, **options), features(shape)
    assert block(x).shape == shape
    assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_gradients_reach_every_parameter(shape: tuple[int, ...], options: dict[str, object]) -> None:
    assert_gradients_flow(attention(shape, **options), features(shape))


def test_equals_dense_evaluation_of_equations_8_and_9() -> None:
    data = fixture("fa_eq8_einsum_noscale")
    block = FoldedAttention(5, residual=False).double()
    names = {"t": "theta", "p": "phi", "g": "g"}
    state = {key: value for key, value in data["state_dict"].items() if key != "gamma"}
    block.load_state_dict({names[key[0]] + key[1:]: value for key, value in state.items()})
    torch.testing.assert_close(block(*data["inputs"]), data["outputs"], rtol=0, atol=1e-12)


def test_equals_one_attention_with_rank_one_affinities() -> None:
    block, x = attention((2, 3, 4, 2, 5)).double(), features((2, 3, 4, 2, 5), torch.float64)
    weights = block.attention_weights(x)
    z = torch.einsum("bhi,bwj,bdk,bcq,bqijk->bchwd", *(weights[axis] for axis in "hwdc"), block.g(x))
    torch.testing.assert_close(block(x), x + 0.7 * z)


@pytest.mark.parametrize("order", list(permutations("hwdc"))[1::5], ids="".join)
def test_order_of_axes_is_irrelevant(order: tuple[str, ...]) -> None:
    block, x = attention((2, 3, 4, 2, 5)).double(), features((2, 3, 4, 2, 5), torch.float64)
    expected = block(x)
    block.axes = {axis: block.axes[axis] for axis in order}
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(("options", "is_equal"), [({}, True), ({"recompute": True}, False)], ids=str)
def test_transposing_axes_transposes_the_output_unless_recomputed(options: dict[str, object], is_equal: bool) -> None:
    block, x = attention((2, 3, 4, 2, 5), **options).double(), features((2, 3, 4, 2, 5), torch.float64)
    transposed = block(x.permute(0, 1, 4, 2, 3)).permute(0, 1, 3, 4, 2)
    assert torch.allclose(transposed, block(x), rtol=1e-9, atol=1e-12) == is_equal


def test_recomputing_follows_the_running_result() -> None:
    x = features((2, 3, 4, 5), torch.float64)
    block = attention((2, 3, 4, 5), recompute=True, residual=False).double()
    z = x
    for equation in ("bchw,bciw->bhi", "bchw,bchj->bwj", "bchw,bqhw->bcq"):
        affinity = torch.einsum(equation, block.theta(z), block.phi(z)).softmax(-1)
        mixing = {"i": "bhi,bciw->bchw", "j": "bwj,bchj->bchw", "q": "bcq,bqhw->bchw"}[equation[-1]]
        z = torch.einsum(mixing, affinity, block.g(z))
    torch.testing.assert_close(block(x), z)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("axis", [2, 3, 4])
def test_permuting_slices_permutes_the_output(axis: int, options: dict[str, object]) -> None:
    shape = (1, 4, 4, 3, 5)
    block, x = attention(shape, **options).double(), features(shape, torch.float64)
    order = torch.randperm(shape[axis], generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(block(x.index_select(axis, order)), block(x).index_select(axis, order))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_of_affinities_sum_to_one(shape: tuple[int, ...], options: dict[str, object]) -> None:
    weights = attention(shape, **options).attention_weights(features(shape))
    assert list(weights) == [*"hwd"[: len(shape) - 2], "c"]
    for affinity, n in zip(weights.values(), (*shape[2:], shape[1]), strict=True):
        assert affinity.shape == (shape[0], n, n)
        torch.testing.assert_close(affinity.sum(-1), torch.ones(shape[0], n))


def test_scaling_divides_logits_by_the_root_of_the_slice_length() -> None:
    block, x = attention((1, 4, 5, 7), scale="sqrt"), features((1, 4, 5, 7))
    logits = torch.einsum("bchw,bciw->bhi", block.theta(x), block.phi(x)) / (4 * 7) ** 0.5
    torch.testing.assert_close(block.attention_weights(x)["h"], logits.softmax(-1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_starts_as_the_identity(shape: tuple[int, ...]) -> None:
    x = features(shape)
    torch.testing.assert_close(FoldedAttention(shape[1], len(shape) - 2)(x), x, rtol=0, atol=0)


def test_has_no_gate_without_residual() -> None:
    assert "gamma" not in FoldedAttention(4, residual=False).state_dict()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_keeps_dtype_and_computes_affinities_in_at_least_single_precision(dtype: torch.dtype) -> None:
    block, x = attention((1, 4, 4, 3, 5)).to(dtype), features((1, 4, 4, 3, 5), dtype)
    assert block(x).dtype == dtype
    assert block.attention_weights(x)["h"].dtype == torch.promote_types(dtype, torch.float32)


def test_logits_beyond_the_range_of_half_precision_stay_finite() -> None:
    block = attention((1, 4, 16, 16, 16)).half()
    with torch.no_grad():
        block.theta.weight.copy_(block.phi.weight)
    assert block(100 * features((1, 4, 16, 16, 16), torch.float16)).isfinite().all()


@pytest.mark.parametrize("residual", [True, False])
def test_autocast_keeps_dtype_and_stays_near_single_precision(residual: bool) -> None:
    block, x = attention((1, 4, 4, 3, 5), residual=residual), features((1, 4, 4, 3, 5))
    with torch.autocast("cpu", torch.bfloat16):
        y, weights = block(x), block.attention_weights(x)
    assert (y.dtype, weights["c"].dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(y, block(x), rtol=0.1, atol=0.1)


def test_keeps_channels_last() -> None:
    block, x = attention((1, 4, 4, 3, 5)), features((1, 4, 4, 3, 5))
    y = block(x.contiguous(memory_format=torch.channels_last_3d))
    assert y.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(y, block(x))


@pytest.mark.slow
def test_compiles_to_the_same_numbers() -> None:
    block, x = attention((1, 4, 4, 3, 5)), features((1, 4, 4, 3, 5))
    torch.testing.assert_close(torch.compile(block, fullgraph=True)(x), block(x))


@pytest.mark.parametrize(("options", "message"), [({"spatial_dims": 1}, "got 1"), ({"scale": "n"}, "got 'n'")])
def test_rejects_unknown_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FoldedAttention(4, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("memory_format", ["contiguous", "channels last", "strided"])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_its_literal_form(
    shape: tuple[int, ...], options: dict[str, object], memory_format: str, dtype: torch.dtype, atol: float
) -> None:
    block = attention(shape, **options).to(dtype)
    literal = LiteralFoldedAttention(shape[1], len(shape) - 2, **options).to(dtype)  # type: ignore[arg-type]
    literal.load_state_dict(block.state_dict())
    x = in_memory_format(features(shape, dtype), memory_format)
    for name, affinity in literal.attention_weights(x).items():
        torch.testing.assert_close(block.attention_weights(x)[name], affinity, rtol=0, atol=atol)
    torch.testing.assert_close(block(x), literal(x), rtol=0, atol=atol)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("memory_format", ["contiguous", "channels last"])
def test_gradients_equal_those_of_the_literal_form(
    shape: tuple[int, ...], options: dict[str, object], memory_format: str
) -> None:
    block = attention(shape, **options).double()
    literal = LiteralFoldedAttention(shape[1], len(shape) - 2, **options).double()  # type: ignore[arg-type]
    literal.load_state_dict(block.state_dict())
    x = in_memory_format(features(shape, torch.float64), memory_format).requires_grad_()
    gradients = []
    for module in (block, literal):
        output = module(x)
        gradients.append(torch.autograd.grad((output * output.cos()).sum(), [x, *module.parameters()]))
    for fast, slow in zip(*gradients, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-9)


def in_memory_format(x: Tensor, memory_format: str) -> Tensor:
    if memory_format == "channels last":
        return x.movedim(1, -1).contiguous().movedim(-1, 1)
    return x.repeat_interleave(2, -1)[..., ::2] if memory_format == "strided" else x


def test_training_keeps_nothing_but_the_input() -> None:
    block, x = attention((1, 8, 8, 8, 8)), features((1, 8, 8, 8, 8)).requires_grad_()
    assert kept_for_backward(block, x) <= 1.01 * x.nbytes
    assert kept_for_backward(LiteralFoldedAttention(8), x) > 8 * x.nbytes


def test_has_no_subnormal_numbers_that_would_slow_it_down() -> None:
    block, x = attention((1, 8, 8, 8, 8)), 10 * features((1, 8, 8, 8, 8))
    literal = LiteralFoldedAttention(8)
    literal.load_state_dict(block.state_dict())
    tiny = torch.finfo(torch.float32).tiny
    assert all(affinity.min() > tiny for affinity in block.attention_weights(x).values())
    assert any(affinity.min() < tiny for affinity in literal.attention_weights(x).values())


def test_needs_at_most_2_2_gflop_at_the_size_of_the_papers_figure_1() -> None:
    assert count_flops(FoldedAttention(64), torch.zeros(1, 64, 32, 32, 32)) <= 2.2e9
