"""Tests of transforms.low_resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage

from mri_attention.operators import resample_cubic, resample_spline, scaled_affine
from mri_attention.transforms import SimulateLowResolution, SimulateLowResolutiond
from tests.helpers import features

OBLIQUE = torch.tensor(
    [[0.0, -1.5, 0.2, 10], [0.8, 0.1, 0.0, -20], [0.1, 0.0, 2.0, 30], [0, 0, 0, 1]], dtype=torch.float64
)


def world_center(image: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Center of mass in mm."""
    grid = torch.stack(torch.meshgrid(*(torch.arange(n) for n in image.shape[1:]), indexing="ij"), -1).to(image)
    voxel = (grid * image[0, ..., None]).sum((0, 1, 2)) / image.sum()
    return (affine[:3, :3] @ voxel) + affine[:3, 3]


@pytest.mark.parametrize("scale", [2, 3])
def test_equals_the_protocol_of_the_literature(scale: int) -> None:
    image = 50 * features(1, 13, 14, 15, dtype=torch.float64) + 7
    x = ((image - image.min()) / (image.max() - image.min()))[0].numpy()
    x = ndimage.gaussian_filter(x, 1)[tuple(slice(n - n % scale) for n in x.shape)]
    expected = ndimage.zoom(x, 1 / scale, order=3, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(SimulateLowResolution(scale)(image)[0], expected, atol=1e-12)


def test_variant_averages_what_it_leaves_out() -> None:
    image = features(1, 12, 12, 12)
    expected = resample_cubic(torch.from_numpy(ndimage.gaussian_filter(image[0].numpy(), 1)), (6, 6, 6), antialias=True)
    torch.testing.assert_close(SimulateLowResolution(2, antialias=True, normalize=False)(image)[0], expected)


def test_thick_slices_average_what_lies_within_them() -> None:
    image = features(1, 5, 4, 10)
    low = SimulateLowResolution((1, 1, 3), normalize=False, profile="box")(image)
    torch.testing.assert_close(low, image[..., :9].unflatten(-1, (3, 3)).mean(-1))
    with pytest.raises(ValueError, match="profile must be gaussian or box, got 'sinc'"):
        SimulateLowResolution(profile="sinc")  # type: ignore[arg-type]


def test_reference_has_the_intensities_and_the_crop() -> None:
    image = features(2, 7, 9, 11)
    reference = SimulateLowResolution(2).reference(image)
    assert reference.shape == (2, 6, 8, 10)
    for channel, original in zip(reference, image, strict=True):
        span = original.max() - original.min()
        torch.testing.assert_close(channel, ((original - original.min()) / span)[:6, :8, :10])


@pytest.mark.parametrize("antialias", [False, True])
def test_constant_image_stays_constant(antialias: bool) -> None:
    image = torch.full((1, 9, 8, 7), 4.0)
    low = SimulateLowResolution(3, antialias=antialias, normalize=False)(image)
    torch.testing.assert_close(low, torch.full((1, 3, 2, 2), 4.0))
    assert not SimulateLowResolution(3, antialias=antialias)(image).any()


@pytest.mark.parametrize("options", [{"scale": 2}, {"scale": 3}, {"scale": 2, "antialias": True}, {"scale": (1, 2, 3)}])
def test_a_blob_keeps_its_place_in_the_world(options: dict[str, Any]) -> None:
    place = [torch.arange(48, dtype=torch.float64) - center for center in (21.3, 26.1, 23.7)]
    squares = [p**2 for p in place]
    blob = torch.exp(-(squares[0][:, None, None] + squares[1][:, None] + squares[2]) / (2 * 4.0**2))[None]
    low = SimulateLowResolution(normalize=False, **options)(MetaTensor(blob, affine=OBLIQUE))
    assert isinstance(low, MetaTensor)
    before, coarse = world_center(blob, OBLIQUE), world_center(low.as_tensor(), low.affine)
    assert (coarse - before).norm() < 0.01
    fine = resample_spline(low.as_tensor(), blob.shape[1:])
    back = scaled_affine(low.affine, [1 / s for s in np.broadcast_to(options["scale"], 3).tolist()])
    torch.testing.assert_close(back, OBLIQUE)
    assert (world_center(fine, back) - before).norm() < 0.01


def test_outer_edges_of_both_grids_coincide() -> None:
    coarse = scaled_affine(OBLIQUE, (2, 3, 1))
    corner = torch.tensor([-0.5, -0.5, -0.5, 1], dtype=torch.float64)
    torch.testing.assert_close(coarse @ corner, OBLIQUE @ corner)
    far = torch.tensor([2.0, 3.0, 6.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(coarse @ (corner + far), OBLIQUE @ (corner + far * torch.tensor([2, 3, 1, 0])))


def test_axes_of_scale_one_are_left_alone() -> None:
    image = features(1, 4, 5, 9)
    low = SimulateLowResolution((1, 1, 3), normalize=False)(image)
    assert low.shape == (1, 4, 5, 3)
    torch.testing.assert_close(low[:, 2:3], SimulateLowResolution((1, 1, 3), normalize=False)(image[:, 2:3]))


def test_pairs_a_reference_with_its_low_resolution() -> None:
    image = MetaTensor(features(1, 9, 8, 8), affine=OBLIQUE, meta={"name": "T1w"})
    out = SimulateLowResolutiond("image", "low", scale=2)({"image": image, "other": 1})
    assert (out["image"].shape, out["low"].shape, out["other"]) == ((1, 8, 8, 8), (1, 4, 4, 4), 1)
    torch.testing.assert_close(out["low"].affine, scaled_affine(OBLIQUE, 2))
    torch.testing.assert_close(out["image"].affine, OBLIQUE)
    assert out["low"].meta["name"] == "T1w"
    assert image.shape == (1, 9, 8, 8)


@pytest.mark.parametrize("options", [{"scale": 0}, {"scale": (2, 0, 2)}, {"sigma": -1.0}])
def test_rejects_other_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="scale must be positive and sigma not negative"):
        SimulateLowResolution(**options)


def test_rejects_small_images_and_keys_without_partner() -> None:
    with pytest.raises(ValueError, match=r"size \(4, 2, 4\) is too small for scale \(3, 3, 3\)"):
        SimulateLowResolution(3)(torch.rand(1, 4, 2, 4))
    with pytest.raises(ValueError, match="output_keys must be as many"):
        SimulateLowResolutiond(["a", "b"], "low")


def test_several_blurs_are_channels() -> None:
    image = torch.rand(1, 8, 9, 10, generator=torch.Generator().manual_seed(0))
    both = SimulateLowResolution(2, (1.0, 0.0))(image)
    assert both.shape == (2, 4, 4, 5)
    for channel, sigma in zip(both, (1.0, 0.0), strict=True):
        assert torch.equal(channel[None], SimulateLowResolution(2, sigma)(image))


def test_a_box_has_one_blur() -> None:
    with pytest.raises(ValueError, match="a box has no blur: give one sigma"):
        SimulateLowResolution(2, (1.0, 0.5), profile="box")
