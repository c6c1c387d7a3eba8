"""What CFTN is measured against: interpolation, non-local upsampling, SRCNN3D and ReCNN."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from mri_attention.networks.nets import SRCNN3D, DDSRNet, FASRNet, Interpolation, NonLocalUpsampling, ReCNN
from mri_attention.transforms import SimulateLowResolution
from tests.helpers import assert_deterministic_in_eval, assert_gradients_flow, features

SMALL: list[tuple[type[nn.Module], dict[str, Any]]] = [
    (SRCNN3D, {"channels": (8, 4), "kernel_sizes": (5, 1, 3)}),
    (ReCNN, {"n_layers": 3, "channels": 4}),
    (DDSRNet, {"channels": 4, "n_modules": 2, "n_layers": 2, "growth": 2}),
    (FASRNet, {"channels": 4, "n_blocks": 2, "reduction": 1}),
    (Interpolation, {}),
    (NonLocalUpsampling, {"search_radius": 1, "max_iterations": 2}),
]
METHODS = ["linear", "cubic", "spline", "deconvolved"]


def ellipsoid(n: int = 24) -> Tensor:
    """A volume with sharp edges and little noise, ``(1, n, n, n)``."""
    place = torch.linspace(-1, 1, n)
    radius = (place[:, None, None] * 1.1) ** 2 + (place[:, None] * 1.3) ** 2 + place**2
    image = (radius < 0.7).float() + 0.5 * (radius < 0.3).float()
    return image[None] + 0.01 * features(1, n, n, n).abs()


@pytest.mark.parametrize(
    ("network", "options", "n_parameters"),
    [(SRCNN3D, {}, 52_801), (ReCNN, {}, 888_769), (ReCNN, {"n_layers": 20}, 1_995_329), (Interpolation, {}, 0)],
)
def test_has_the_published_number_of_parameters(
    network: type[nn.Module], options: dict[str, Any], n_parameters: int
) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in network(**options).parameters()) == n_parameters


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize(("network", "options"), SMALL)
def test_magnifies_any_size(network: type[nn.Module], options: dict[str, Any], scale: int) -> None:
    torch.manual_seed(0)
    built, x = network(scale=scale, **options), features(2, 1, 5, 4, 7).abs()
    assert built(x).shape == (2, 1, 5 * scale, 4 * scale, 7 * scale)
    assert_deterministic_in_eval(built, x)


@pytest.mark.parametrize(("network", "options"), SMALL[:4])
def test_gradients_reach_every_parameter(network: type[nn.Module], options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    built = network(**options)
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.5)
    assert_gradients_flow(built, features(1, 1, 5, 4, 7))


def test_recnn_of_zeros_is_the_spline() -> None:
    network, x = ReCNN(n_layers=2, channels=2), features(1, 1, 5, 4, 3)
    nn.init.zeros_(network.layers[-1].weight)
    torch.testing.assert_close(network(x), Interpolation(2, "spline")(x))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(5, 4, 7), (6, 3)], ids=str)
def test_interpolation_keeps_constants_and_mirrors(size: tuple[int, ...], method: str) -> None:
    upsample, x = Interpolation(2, method), features(1, 1, *size)
    y = upsample(torch.ones(1, 1, *size))
    torch.testing.assert_close(y, torch.ones_like(y))
    axes = tuple(range(2, x.ndim))
    torch.testing.assert_close(upsample(x.flip(axes)), upsample(x).flip(axes))


def test_spline_is_the_interpolation_of_the_literature() -> None:
    x = features(1, 1, 7, 6, 5)
    expected = ndimage.zoom(x[0, 0].double().numpy(), 3, order=3, mode="nearest", grid_mode=True)
    torch.testing.assert_close(Interpolation(3)(x)[0, 0].double(), torch.from_numpy(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3])
def test_deconvolution_is_what_the_degradation_made_low(scale: int) -> None:
    """Degraded again, it is the same image of low resolution, and it is nearer to the truth than the spline."""
    image = ellipsoid()
    simulate = SimulateLowResolution(scale, normalize=False)
    low = simulate(image)
    high = Interpolation(scale, "deconvolved")(low[None])
    torch.testing.assert_close(simulate(high[0]), low, rtol=0, atol=5e-3)
    assert F.mse_loss(high[0], image) < 0.96 * F.mse_loss(Interpolation(scale)(low[None])[0], image)


def test_non_local_upsampling_keeps_the_means_of_blocks() -> None:
    low = SimulateLowResolution(2)(ellipsoid(16))[None]
    for scale in (2, 3):
        high = NonLocalUpsampling(scale, search_radius=1, max_iterations=3)(low)
        torch.testing.assert_close(F.avg_pool3d(high, scale), low, rtol=0, atol=1e-5)


def test_non_local_upsampling_is_nearer_to_the_truth_than_the_spline() -> None:
    image = ellipsoid()
    simulate = SimulateLowResolution(2)
    low, truth = simulate(image)[None], simulate.reference(image)[None]
    spline, non_local = (network(low) for network in (Interpolation(2), NonLocalUpsampling(2, 2, max_iterations=6)))
    assert F.mse_loss(non_local, truth) < 0.9 * F.mse_loss(spline, truth)


def test_non_local_upsampling_scales_with_intensity_and_keeps_constants() -> None:
    network, x = NonLocalUpsampling(search_radius=1, max_iterations=3), features(1, 1, 6, 5).abs()
    torch.testing.assert_close(network(4 * x), 4 * network(x))
    torch.testing.assert_close(network(torch.full((1, 1, 4, 4), 0.3)), torch.full((1, 1, 8, 8), 0.3))
    assert not network(torch.zeros(1, 1, 4, 4)).any()


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (Interpolation, {"scale": 0}, "scale must not be below 1, got 0"),
        (Interpolation, {"method": "nearest"}, "method must be one of linear, cubic, spline"),
        (NonLocalUpsampling, {"search_radius": 0}, "search_radius must not be below 1, got 0"),
        (DDSRNet, {"scale": 4}, "scale must be 2 or 3, and all others at least 1, got scale=4"),
        (FASRNet, {"n_blocks": 0}, "n_blocks at least 1, got scale=2, n_blocks=0"),
        (ReCNN, {"n_layers": 1}, "n_layers must not be below 2, got 1"),
        (SRCNN3D, {"kernel_sizes": (9, 2, 5)}, "kernel_sizes must be odd"),
        (SRCNN3D, {"kernel_sizes": (9, 5)}, "one more than channels"),
    ],
)
def test_rejects_other_options(network: type[nn.Module], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network(**options)
