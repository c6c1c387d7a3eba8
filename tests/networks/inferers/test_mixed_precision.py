"""Tests of networks.inferers.mixed_precision."""

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from torch import nn

from mri_attention.networks.inferers import MixedPrecisionInferer, has_fast_bfloat16

X = torch.randn(1, 3, 8, 8, 8, generator=torch.Generator().manual_seed(0))


class DtypeRecorder(nn.Module):
    """A convolution that remembers what it computed in."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(3, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.convolution(x)
        self.dtype = y.dtype
        return y


@pytest.mark.parametrize(("enabled", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_network_computes_in_half_precision_and_result_is_float32(enabled: bool, dtype: torch.dtype) -> None:
    network = DtypeRecorder()
    result = MixedPrecisionInferer(SimpleInferer(), enabled)(X, network)
    assert (network.dtype, result.dtype) == (dtype, torch.float32)


def test_agrees_with_float32_within_the_precision_of_bfloat16() -> None:
    network = DtypeRecorder()
    with torch.no_grad():
        network.convolution.weight.normal_(generator=torch.Generator().manual_seed(0))
    result, expected = MixedPrecisionInferer(SimpleInferer())(X, network), network(X)
    assert 0 < (result - expected).norm() < 0.01 * expected.norm()


def test_keeps_metadata() -> None:
    affine = torch.diag(torch.tensor([2.0, 2, 3, 1], dtype=torch.float64))
    result = MixedPrecisionInferer(SimpleInferer())(MetaTensor(X, affine=affine), DtypeRecorder())
    assert isinstance(result, MetaTensor)
    torch.testing.assert_close(result.affine, affine)


def test_gradients_reach_float32_weights() -> None:
    network = DtypeRecorder()
    MixedPrecisionInferer(SimpleInferer())(X, network).square().sum().backward()
    assert network.convolution.weight.grad is not None
    assert network.convolution.weight.grad.dtype == torch.float32
    assert network.convolution.weight.grad.any()


def test_no_half_precision_on_devices_without_arithmetic_for_it() -> None:
    assert not has_fast_bfloat16("meta")


def test_no_half_precision_where_torch_is_kept_from_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert has_fast_bfloat16("cpu")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert not has_fast_bfloat16("cpu")
