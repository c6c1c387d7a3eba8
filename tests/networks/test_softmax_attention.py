import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from mri_attention.networks.blocks import DualAttention, PositionAttention, SelfAttention
from mri_attention.networks.blocks.softmax_attention import logit_scale, softmax_affinity, softmax_attention
from tests.helpers import features, with_open_gates

BLOCKS = {
    "self": lambda c: SelfAttention(c),
    "one inner channel": lambda c: SelfAttention(c, inter_channels=1),
    "gaussian": lambda c: SelfAttention(c, mode="gaussian"),
    "sub-sampled": lambda c: SelfAttention(c, sub_sample=2),
    "position": lambda c: PositionAttention(c),
    "dual": lambda c: DualAttention(c),
}


@pytest.mark.parametrize(("width", "value_width"), [(3, 3), (1, 1), (2, 5), (5, 2)])
def test_equals_explicit_softmax(width: int, value_width: int) -> None:
    queries, keys, values = features(2, 7, width), features(2, 9, width), features(2, 9, value_width)
    expected = (0.5 * queries @ keys.mT).softmax(-1) @ values
    torch.testing.assert_close(softmax_attention(queries, keys, values, 0.5), expected)
    torch.testing.assert_close(softmax_affinity(queries, keys, 0.5) @ values, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_affinities_are_in_at_least_single_precision(dtype: torch.dtype) -> None:
    x = features(1, 5, 3, dtype=dtype)
    with torch.autocast("cpu", torch.bfloat16):
        assert softmax_affinity(x, x).dtype == torch.promote_types(dtype, torch.float32)


def test_logits_beyond_the_range_of_half_precision_stay_finite() -> None:
    x = 300 * features(1, 5, 8, dtype=torch.float16)
    assert softmax_attention(x, x, x).isfinite().all()
    assert softmax_affinity(x, x).isfinite().all()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d], ids=str)
@pytest.mark.parametrize("name", BLOCKS)
def test_flash_kernel_accepts_the_layout_of_every_block(name: str, memory_format: torch.memory_format) -> None:
    x = features(2, 8, 5, 3, 4).contiguous(memory_format=memory_format).requires_grad_()
    block = with_open_gates(BLOCKS[name](8))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        block(x).sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("name", BLOCKS)
def test_no_tensor_of_quadratic_size_is_kept_for_the_gradients(name: str) -> None:
    x = features(1, 8, 8, 8, 8)
    assert 0 < largest_kept(with_open_gates(BLOCKS[name](8)), x) <= 2 * x.numel()


def test_literal_evaluation_keeps_all_affinities() -> None:
    assert largest_kept(with_open_gates(SelfAttention(8, literal=True)), features(1, 8, 8, 8, 8)) == 512**2


def largest_kept(block: nn.Module, x: Tensor) -> int:
    """Return the size of the largest tensor that a forward pass keeps for the backward pass."""
    sizes: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda kept: sizes.append(kept.numel()) or kept, lambda kept: kept):
        block(x)
    return max(sizes)


def test_flash_kernel_refuses_permuted_views() -> None:
    """Why the layout matters: torch would fall back in silence to a kernel with quadratic memory."""
    x = features(2, 1, 8, 60).transpose(2, 3)
    attend: Callable[..., Tensor] = nn.functional.scaled_dot_product_attention
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="No available kernel"):
            attend(x, x, x)


def test_scale_is_one_or_the_root_of_the_width() -> None:
    assert (logit_scale(None, 16), logit_scale("sqrt", 16)) == (1.0, 0.25)
    with pytest.raises(ValueError, match="scale must be None or \"sqrt\", got 'half'"):
        logit_scale("half", 16)
