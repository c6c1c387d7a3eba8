import pytest
import torch
from torch import nn

from mri_attention.networks.blocks import ATTENTION, build_attention
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features, with_open_gates

SHAPES = [(2, 8, 5, 6), (2, 8, 5, 6, 7), (1, 8, 1, 3, 2)]
OPTIONS = {"squeeze_excitation": {"reduction": 1}, "channel_spatial": {"reduction": 2}}
RESIDUAL = ["none", "folded", "self", "dual", "recurrent_slice"]


def torch_has_bfloat16_attention() -> bool:
    """Not so where ``ATEN_CPU_CAPABILITY`` keeps torch from the instructions that its own kernel then asks for."""
    try:
        nn.functional.scaled_dot_product_attention(*[torch.ones(1, 1, 64, 8, dtype=torch.bfloat16)] * 3)
    except RuntimeError:
        return False
    return True


skip_without_bfloat16 = pytest.mark.skipif(not torch_has_bfloat16_attention(), reason="torch's attention fails here")


def block_of(name: str, spatial_dims: int) -> nn.Module:
    torch.manual_seed(0)
    return with_open_gates(build_attention(name, 8, spatial_dims, **OPTIONS.get(name, {})))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ATTENTION.names)
def test_every_block_keeps_shape_and_is_deterministic(name: str, shape: tuple[int, ...]) -> None:
    block, x = block_of(name, len(shape) - 2), features(*shape)
    assert block(x).shape == x.shape
    assert_deterministic_in_eval(block, x)


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
@pytest.mark.parametrize("name", ATTENTION.names)
def test_gradients_reach_every_parameter_of_every_block(name: str, shape: tuple[int, ...]) -> None:
    block, x = block_of(name, len(shape) - 2), features(*shape).requires_grad_()
    assert_gradients_flow(block, x)
    assert x.grad is not None
    assert x.grad.any()


@pytest.mark.parametrize("name", RESIDUAL)
def test_residual_blocks_start_as_the_identity(name: str) -> None:
    x = features(*SHAPES[1])
    torch.testing.assert_close(build_attention(name, 8, 3)(x), x, rtol=0, atol=0)


@pytest.mark.parametrize(
    "dtype", [pytest.param(torch.bfloat16, marks=skip_without_bfloat16), torch.float32, torch.float64]
)
@pytest.mark.parametrize("name", ATTENTION.names)
def test_every_block_keeps_dtype(name: str, dtype: torch.dtype) -> None:
    assert block_of(name, 3).to(dtype)(features(*SHAPES[1], dtype=dtype)).dtype == dtype


@skip_without_bfloat16
@pytest.mark.parametrize("name", ATTENTION.names)
def test_autocast_keeps_dtype_and_stays_near_single_precision(name: str) -> None:
    block, x = block_of(name, 3).eval(), features(*SHAPES[1])
    with torch.autocast("cpu", torch.bfloat16):
        y = block(x)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, block(x), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("name", ATTENTION.names)
def test_memory_format_does_not_change_the_numbers(name: str) -> None:
    block, x = block_of(name, 3).eval(), features(*SHAPES[1])
    torch.testing.assert_close(block(x.contiguous(memory_format=torch.channels_last_3d)), block(x))


@pytest.mark.parametrize("name", [name for name in ATTENTION.names if name != "none"])
def test_every_block_rejects_other_than_two_or_three_axes(name: str) -> None:
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 1"):
        build_attention(name, 8, 1)


def test_none_returns_its_input() -> None:
    x = torch.randn(1, 8, 3, 3, 3)
    assert build_attention("none", 8, 3)(x) is x


def test_passes_options_on() -> None:
    assert build_attention("folded", 8, 3, scale="sqrt").scale == "sqrt"


def test_rejects_unknown_name_and_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown attention 'foldde', known are: none, folded"):
        build_attention("foldde", 8, 3)
