"""Tests of the baselines of guided super-resolution that follow publications without code."""

from typing import Any

import pytest
import torch
from torch import nn

from mri_attention.networks.blocks import EDSRResidualBlock
from mri_attention.networks.nets import EDSR, LyuNet, McMRSR, SANet, SMORENet, ZengNet
from mri_attention.operators.resampling import resample_cubic
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SMALL = {"n_blocks": 1, "width": 6}
GUIDED = [ZengNet, LyuNet]


def small(network: type[nn.Module], scale: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return network(scale=scale, **SMALL)


def images(network: type[nn.Module], scale: int = 2) -> list[torch.Tensor]:
    return [features(2, 1, 5, 7), *([features(2, 1, 5 * scale, 7 * scale)] if network in GUIDED else [])]


@pytest.mark.parametrize("network", [*GUIDED, SMORENet])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_output_is_on_the_fine_grid(network: type[nn.Module], scale: int) -> None:
    module, inputs = small(network, scale), images(network, scale)
    assert module(*inputs).shape == (2, 1, 5 * scale, 7 * scale)
    assert_gradients_flow(module, *inputs)
    assert_deterministic_in_eval(module, *inputs)


@pytest.mark.parametrize("network", GUIDED)
def test_guide_matters(network: type[nn.Module]) -> None:
    module, (low, guide) = small(network).eval(), images(network)
    assert not torch.allclose(module(low, guide), module(low, guide.flip(2)), rtol=1e-3)


@pytest.mark.parametrize("network", GUIDED)
def test_without_correction_the_image_is_that_of_the_target_alone(network: type[nn.Module]) -> None:
    module, (low, guide) = small(network).eval(), images(network)
    last = (module.multi if network is ZengNet else module.levels[-1].join)[-1]
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(module(low, guide), module(low, guide.flip(2)), rtol=0, atol=0)


def test_smore_starts_from_the_interpolated_image() -> None:
    module, (low,) = small(SMORENet).eval(), images(SMORENet)
    for part in (module.anti_aliasing, module.super_resolution):
        for parameter in part.head.parameters():
            nn.init.zeros_(parameter)
    torch.testing.assert_close(module(low), resample_cubic(low, (10, 14), grid="first_voxel"))


@pytest.mark.parametrize("network", [*GUIDED, SMORENet])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_straight_line_keeps_its_place(network: type[nn.Module], scale: int) -> None:
    """Coarse pixel j lies at fine pixel ``scale j``, as under truncation of k-space."""
    module = small(network, scale).eval()
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    fine = torch.arange(12.0 * scale).expand(1, 1, 12 * scale, -1)
    inputs = [fine[..., ::scale, ::scale], *([fine] if network in GUIDED else [])]
    inside = slice(3 * scale, -3 * scale)  # beyond the border pixels are repeated
    torch.testing.assert_close(module(*inputs)[..., inside], fine[..., inside])


def test_the_coarser_guide_of_the_progressive_network_lies_on_its_grid() -> None:
    module, seen = small(LyuNet, 4).eval(), []
    module.levels[0].guide.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    fine = torch.arange(32.0).expand(1, 1, 32, 32)
    module(fine[..., ::4, ::4], fine)
    torch.testing.assert_close(seen[0][..., 1:], fine[..., ::2, 2::2])


def test_residual_block_adds_what_it_scales() -> None:
    torch.manual_seed(0)
    block, x = EDSRResidualBlock(4, 0.1), features(2, 4, 5, 7)
    torch.testing.assert_close(block(x), x + 0.1 * block.body(x))
    assert_gradients_flow(block, x)


@pytest.mark.parametrize(
    ("network", "options"),
    [
        (EDSR, SMALL),
        (SANet, SMALL | {"n_stages": 1}),
        (ZengNet, SMALL),
        (LyuNet, SMALL),
        (McMRSR, {"width": 4, "depths": (2,), "n_heads": (1,), "is_complex": False}),
    ],
)
def test_autocast_stays_near_single_precision(network: type[nn.Module], options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    module = network(scale=2, **options).eval()
    inputs = [features(1, 1, 16, 16)] if network is EDSR else [features(1, 1, 16, 16), features(1, 1, 32, 32)]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        y = module(*inputs)
    expected = module(*inputs)
    tolerance = 0.2 if network is McMRSR else 0.05  # rounded features may be like another patch
    assert (y.float() - expected).abs().mean() < tolerance * expected.abs().mean()


@pytest.mark.parametrize(
    ("network", "scale", "message"),
    [
        (ZengNet, 5, "scale must be 3 or a power of two, got 5"),
        (LyuNet, 1, "scale must be 3 or a power of two above one, got 1"),
        (SMORENet, 0, "scale must be positive, got 0"),
    ],
)
def test_rejects_scales(network: type[nn.Module], scale: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(scale)
