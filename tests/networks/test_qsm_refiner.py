"""Tests of networks.nets.qsm_refiner."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mri_attention.networks.nets import ClassicalSolution, FAQSMRefiner
from tests.helpers import assert_deterministic_in_eval, with_open_gates


def maps() -> Tensor:
    """Field, classical map, error of its field, and noise (ppm)."""
    channels = 0.03 * torch.randn(1, 4, 9, 10, 11, generator=torch.Generator().manual_seed(0))
    channels[:, 3] = 0.002
    return channels


def small(**options: object) -> FAQSMRefiner:
    return FAQSMRefiner(channels=(4, 6), **options)  # type: ignore[arg-type]


def test_it_starts_at_the_classical_solution() -> None:
    x = maps()
    torch.testing.assert_close(small()(x), x[:, 1:2])


def test_it_is_zero_where_the_field_is() -> None:
    x = maps()
    x[:, 0, :4] = 0
    network = with_open_gates(small())
    assert not network(x)[:, :, :4].any()
    assert network(x)[:, :, 4:].any()


@pytest.mark.parametrize(("noise", "share"), [(0.0001, 0.0), (0.001, 0.7), (0.002, 1.095094), (0.02, 1.5)])
def test_the_share_of_the_correction_grows_with_the_noise(noise: float, share: float) -> None:
    x = maps()
    x[:, 3] = noise
    whole, part = with_open_gates(small(share=(1.0, 0.0))).eval(), small(share=(0.7, 0.57)).eval()
    part.load_state_dict(whole.state_dict())
    corrections = [network(x) - x[:, 1:2] for network in (whole, part)]
    assert corrections[0].abs().max() > 1e-4
    torch.testing.assert_close(corrections[1], share * corrections[0], rtol=1e-4, atol=1e-7)


def test_a_map_of_the_noise_gives_each_voxel_its_share() -> None:
    x = maps()
    x[:, 3, :4] = 0.0001
    result = with_open_gates(small()).eval()(x)
    assert torch.equal(result[:, :, :4], x[:, 1:2, :4])
    assert not torch.allclose(result[:, :, 4:], x[:, 1:2, 4:], rtol=1e-3)


def test_scales_cancel_in_units() -> None:
    """Maps in ppb with scales in ppb give the same result in ppb."""
    ppm, ppb = (
        with_open_gates(small()).eval(),
        small(field_scale=10.0, susceptibility_scale=30.0, noise_scale=1.0).eval(),
    )
    ppb.load_state_dict(ppm.state_dict())
    torch.testing.assert_close(ppb(1000 * maps()), 1000 * ppm(maps()), rtol=1e-4, atol=1e-3)


def test_eval_is_deterministic() -> None:
    network = with_open_gates(small())
    assert_deterministic_in_eval(network, maps())


def test_the_last_layer_gets_gradients_from_the_start() -> None:
    network = small()
    (network(maps()) - 1).square().mean().backward()
    assert network.unet.head.weight.grad is not None
    assert network.unet.head.weight.grad.any()


def test_bad_scales_and_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="scales must be positive"):
        small(noise_scale=0.0)
    with pytest.raises(ValueError, match="four channels"):
        small()(maps()[:, :2])


def test_without_noise_its_level_is_that_of_the_scale() -> None:
    quiet, known = maps(), maps()
    quiet[:, 3], known[:, 3] = 0, 0.001
    network = with_open_gates(small()).eval()
    torch.testing.assert_close(network(quiet), network(known))
    assert not torch.allclose(network(maps()), network(known))


def test_classical_solution_is_a_copy_of_the_second_channel() -> None:
    x = maps()
    out = ClassicalSolution()(x)
    assert torch.equal(out, x[:, 1:2])
    out *= 0
    assert x[:, 1:2].any()
