import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

from mri_attention.networks.inferers.whole_volume import WholeVolumeOrSlidingWindowInferer

SIZE = (9, 7, 10)
N_VOXELS = 9 * 7 * 10


def volume(batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def convolution(kernel_size: int = 3) -> nn.Conv3d:
    torch.manual_seed(0)
    return nn.Conv3d(3, 2, kernel_size, padding=kernel_size // 2).requires_grad_(False)


@pytest.mark.parametrize("max_voxels", [None, N_VOXELS])
def test_whole_volume_is_one_call_of_the_network(max_voxels: int | None) -> None:
    network = convolution()
    inferer = WholeVolumeOrSlidingWindowInferer((4, 4, 4), max_voxels)
    torch.testing.assert_close(inferer(volume(), network), network(volume()))


@pytest.mark.parametrize("max_voxels", [0, N_VOXELS - 1])
def test_larger_volumes_go_through_gaussian_windows(max_voxels: int) -> None:
    network = convolution()
    result = WholeVolumeOrSlidingWindowInferer((4, 4, 4), max_voxels)(volume(), network)
    expected = sliding_window_inference(volume(), (4, 4, 4), 1, network, overlap=0.5, mode="gaussian")
    torch.testing.assert_close(result, expected)
    assert not torch.allclose(result, network(volume()), atol=1e-3)


def test_both_ways_agree_for_a_pointwise_network() -> None:
    network, inferers = convolution(1), [WholeVolumeOrSlidingWindowInferer((4, 4, 4), n) for n in (0, None)]
    windows, whole = (inferer(volume(), network) for inferer in inferers)
    torch.testing.assert_close(windows, whole)


@pytest.mark.parametrize("max_voxels", [0, None])
def test_metadata_goes_with_the_result(max_voxels: int | None) -> None:
    affine = torch.diag(torch.tensor([1.0, 2.0, 3.0, 1.0]))
    inputs = MetaTensor(volume(), affine=affine)
    result = WholeVolumeOrSlidingWindowInferer((4, 4, 4), max_voxels)(inputs, convolution())
    assert isinstance(result, MetaTensor)
    torch.testing.assert_close(result.affine, inputs.affine)


@pytest.mark.parametrize("max_voxels", [0, None])
def test_results_have_the_dtype_of_the_inputs_under_autocast(max_voxels: int | None) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        result = WholeVolumeOrSlidingWindowInferer((4, 4, 4), max_voxels)(volume(), convolution())
    assert result.dtype == torch.float32


@pytest.mark.parametrize("max_voxels", [0, None])
def test_dictionaries_come_back_as_dictionaries(max_voxels: int | None) -> None:
    network = convolution(1)
    result = WholeVolumeOrSlidingWindowInferer((4, 4, 4), max_voxels)(volume(), lambda x: {"logits": network(x)})
    torch.testing.assert_close(result["logits"], network(volume()))


def test_rejects_negative_limit() -> None:
    with pytest.raises(ValueError, match="max_voxels must not be negative, got -1"):
        WholeVolumeOrSlidingWindowInferer((4, 4, 4), -1)
