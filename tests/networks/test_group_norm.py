import pytest
import torch

from mri_attention.networks.blocks import GroupNorm3d


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_equals_group_norm_in_values_gradients_and_format(
    dtype: torch.dtype, memory_format: torch.memory_format
) -> None:
    torch.manual_seed(0)
    ours, reference = GroupNorm3d(2, 6).to(dtype), torch.nn.GroupNorm(2, 6)
    x = (3 + torch.randn(2, 6, 5, 4, 3)).to(dtype).contiguous(memory_format=memory_format).requires_grad_()
    direction = torch.randn(x.shape)
    y, expected = ours(x), reference(x.float())
    tolerance = {"rtol": 2e-2, "atol": 4e-2} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-5}
    assert y.dtype == dtype
    assert y.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(y.float(), expected, **tolerance)
    gradients = torch.autograd.grad((y * direction).sum(), [x, *ours.parameters()])
    expected_gradients = torch.autograd.grad((expected * direction).sum(), [x, *reference.parameters()])
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient.float(), expected_gradient.float(), **tolerance)


@torch.no_grad()
@pytest.mark.parametrize("channels", [8, 24])
def test_inference_in_half_precision_equals_group_norm_up_to_rounding(channels: int) -> None:
    x = (1 + 3 * torch.randn(2, channels, 4, 5, 6, generator=torch.Generator().manual_seed(0))).bfloat16()
    x = x.contiguous(memory_format=torch.channels_last_3d)
    y = GroupNorm3d(8, channels)(x)
    assert y.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(y, torch.nn.GroupNorm(8, channels)(x), rtol=2**-7, atol=2**-8)
