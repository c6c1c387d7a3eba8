import pytest
import torch
from torch import Tensor, nn

from mri_attention.networks.inferers import has_fast_bfloat16
from mri_attention.networks.nets import FANet, UNet3D
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow

SMALL = (8, 16, 24)


def volume(*size: int, batch: int = 1) -> Tensor:
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(0))


def small_network(attention: str = "folded", dropout: float = 0.2) -> UNet3D:
    torch.manual_seed(0)
    network = UNet3D(channels=SMALL, attention=attention, dropout=dropout)
    if attention == "folded":
        nn.init.constant_(network.attention.gamma, 0.5)
    return network


@pytest.mark.parametrize(("network", "n_parameters"), [(UNet3D, 23_766_368), (FANet, 24_554_337)])
def test_has_as_many_parameters_as_the_original(network: type[nn.Module], n_parameters: int) -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in network().parameters()) == n_parameters


@pytest.mark.parametrize("size", [(8, 8, 8), (9, 7, 5), (16, 3, 1), (13, 11, 2)], ids=str)
def test_output_has_the_size_of_the_input(size: tuple[int, ...]) -> None:
    assert small_network()(volume(*size)).shape == (1, 2, *size)


@pytest.mark.parametrize("channels", [(8,), (8, 16), (8, 24, 16, 40)], ids=str)
def test_any_number_of_levels_and_any_widths_will_do(channels: tuple[int, ...]) -> None:
    assert FANet(channels=channels, out_channels=4)(volume(9, 8, 7)).shape == (1, 4, 9, 8, 7)


@pytest.mark.parametrize("attention", ["none", "folded"])
def test_gradients_reach_every_parameter(attention: str) -> None:
    network = small_network(attention)
    assert_gradients_flow(network, volume(9, 8, 7, batch=2))
    assert_deterministic_in_eval(network, volume(9, 8, 7))


def test_fanet_starts_as_the_unet_of_the_same_weights() -> None:
    network, unet = FANet(channels=SMALL).eval(), UNet3D(channels=SMALL).eval()
    missing = unet.load_state_dict(network.state_dict(), strict=False)
    assert not missing.missing_keys
    assert all(key.startswith("attention.") for key in missing.unexpected_keys)
    torch.testing.assert_close(network(volume(8, 8, 8)), unet(volume(8, 8, 8)), rtol=0, atol=0)


def test_dropout_is_active_in_training_only() -> None:
    network, x = small_network("none", dropout=0.5), volume(8, 8, 8)
    assert not torch.equal(network(x), network(x))


def test_coarse_voxel_i_meets_fine_voxels_2i_and_2i_plus_1_at_odd_sizes_too() -> None:
    network = UNet3D(channels=(8, 8)).eval()
    upsampled = []
    network.decoder[0].register_forward_pre_hook(lambda _, inputs: upsampled.append(inputs[0][:, 8:]))
    network.attention = (ramp := Ramp())
    nn.init.ones_(network.up[0].weight)
    network(volume(9, 3, 5))
    torch.testing.assert_close(upsampled[0][0, 0, :, 0, 0], 8 * ramp.values(5).repeat_interleave(2)[:9])


class Ramp(nn.Module):
    """Features that count the voxels along the first axis."""

    def forward(self, x: Tensor) -> Tensor:
        return self.values(x.shape[2])[:, None, None].expand(x.shape)

    def values(self, n: int) -> Tensor:
        return torch.arange(n, dtype=torch.float32)


def test_channels_last_and_bfloat16_reach_the_output() -> None:
    network = small_network(dropout=0.0).to(memory_format=torch.channels_last_3d)
    with torch.autocast("cpu", torch.bfloat16):
        y = network(volume(9, 8, 7))
    assert y.dtype == torch.bfloat16
    if has_fast_bfloat16("cpu"):  # torch's convolutions without such arithmetic leave the layout
        assert y.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(y.float(), small_network(dropout=0.0)(volume(9, 8, 7)), rtol=0.1, atol=0.1)


def test_learns_a_bright_ball() -> None:
    network = small_network(dropout=0.0)
    x = volume(12, 12, 12)
    distance = torch.linspace(-1, 1, 12).square()
    ball = ((distance[:, None, None] + distance[:, None] + distance) < 0.5).long()[None]
    x[:, 2] += 2 * ball
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(x), ball)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


@pytest.mark.slow
def test_compiles_to_the_same_numbers() -> None:
    network, x = small_network().eval(), volume(9, 8, 7)
    torch.testing.assert_close(torch.compile(network, fullgraph=True)(x), network(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [(), (8, 12)], ids=str)
def test_rejects_channels_that_groups_do_not_divide(channels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="norm_groups must divide each of channels"):
        UNet3D(channels=channels)


def test_rejects_unknown_attention() -> None:
    with pytest.raises(ValueError, match="unknown attention 'some'"):
        UNet3D(channels=SMALL, attention="some")
