"""Tests of operators.dipole and operators.dipole_convolution against closed forms of magnetostatics."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mri_attention.operators import DipoleConvolution, dipole_kernel, dipole_kernel_from_image_space
from mri_attention.operators.dipole import filter_kspace, padded_shape

OBLIQUE = (0.3, -0.5, 0.8)
KERNELS = [dipole_kernel, dipole_kernel_from_image_space]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def places(shape: tuple[int, ...], voxel_size: tuple[float, ...] = (1, 1, 1)) -> Tensor:
    """Coordinates (mm) from the voxel in the middle, shape (3, x, y, z)."""
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) * size for n, size in zip(shape, voxel_size, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))


def along(r: Tensor, direction: tuple[float, ...]) -> Tensor:
    b = torch.tensor(direction, dtype=torch.float64)
    return (r * (b / b.norm())[:, None, None, None]).sum(0)


def test_kernel_is_the_formula() -> None:
    kernel = dipole_kernel((7, 6, 5), (1.0, 2.0, 3.0), OBLIQUE, dtype=torch.float64)
    k = torch.tensor([2 / 7, -1 / (6 * 2.0), 1 / (5 * 3.0)], dtype=torch.float64)
    b = torch.tensor(OBLIQUE, dtype=torch.float64)
    expected = 1 / 3 - (k @ b) ** 2 / (k @ k) / (b @ b)
    torch.testing.assert_close(kernel[2, -1, 1], expected)


def test_large_voxels_are_small_frequencies() -> None:
    """Slices of 3 mm: half of k-space along z ends at 1/6 per mm, not at 3/2."""
    kernel = dipole_kernel((8, 8, 8), (1.0, 1.0, 3.0), dtype=torch.float64)
    k = torch.tensor([1 / 8, 0, 2 / 24], dtype=torch.float64)
    torch.testing.assert_close(kernel[1, 0, 2], 1 / 3 - k[2] ** 2 / (k @ k))


@pytest.mark.parametrize("make", KERNELS)
def test_kernel_is_real_even_and_within_its_bounds(make: type) -> None:
    kernel = make((8, 7, 6), (1.0, 1.2, 3.0), OBLIQUE, dtype=torch.float64)
    flipped = kernel.flip((0, 1, 2)).roll((1, 1, 1), (0, 1, 2))
    torch.testing.assert_close(kernel, flipped)
    assert kernel.dtype == torch.float64
    if make is dipole_kernel:
        assert kernel.min() >= -2 / 3
        assert kernel.max() <= 1 / 3


def test_kernel_does_not_see_the_sign_or_length_of_the_direction() -> None:
    kernel = dipole_kernel((6, 6, 6), b0_direction=OBLIQUE, dtype=torch.float64)
    other = dipole_kernel((6, 6, 6), b0_direction=tuple(-2 * b for b in OBLIQUE), dtype=torch.float64)
    torch.testing.assert_close(kernel, other)


@pytest.mark.parametrize("value", [0.0, 1 / 3])
def test_zero_frequency_is_what_is_asked(value: float) -> None:
    assert dipole_kernel((4, 4, 4), center_value=value)[0, 0, 0] == pytest.approx(value)


@pytest.mark.parametrize("make", KERNELS)
def test_batch_of_geometries_is_the_single_ones(make: type) -> None:
    sizes, directions = torch.tensor([[1.0, 1, 1], [1, 1, 3]]), torch.tensor([OBLIQUE, (0.0, 1, 0)])
    both = make((5, 4, 6), sizes, directions)
    assert both.shape == (2, 1, 5, 4, 6)
    for kernel, size, direction in zip(both, sizes, directions, strict=True):
        torch.testing.assert_close(kernel[0], make((5, 4, 6), size, direction))


@pytest.mark.parametrize(
    ("kernel", "direction", "tolerance"),
    [("kspace", (0, 0, 1), 0.01), ("image", (0, 0, 1), 0.006), ("kspace", OBLIQUE, 0.04), ("image", OBLIQUE, 0.006)],
)
def test_sphere(kernel: str, direction: tuple[float, ...], tolerance: float) -> None:
    """Inside 0 (Lorentz), outside chi/3 (a/r)^3 (3 cos^2 - 1), where a^3 is that of the volume."""
    shape, radius = (40, 40, 40), 7.0
    r = places(shape)
    distance = r.norm(dim=0)
    ball = (radius - distance + 0.5).clamp(0, 1)[None, None]
    field = DipoleConvolution(shape, b0_direction=direction, kernel=kernel, dtype=torch.float64)(ball)[0, 0]
    cosine = along(r, direction) / distance.clamp(min=1)
    expected = ball.sum() / (4 * math.pi) * (3 * cosine**2 - 1) / distance.clamp(min=1) ** 3
    outside, inside = distance > radius + 2, distance < radius - 2
    assert (field - expected)[outside].norm() < tolerance * expected[outside].norm()
    assert field[inside].abs().max() < 0.02


def test_sphere_on_thick_oblique_slices() -> None:
    """The traps together: voxel size in the right place, direction in voxel axes."""
    shape, voxel_size, radius = (36, 36, 20), (1.0, 1.0, 2.0), 8.0
    r = places(shape, voxel_size)
    fine = places((144, 144, 160), (0.25, 0.25, 0.25)).norm(dim=0) < radius
    ball = torch.nn.functional.avg_pool3d(fine[None, None].double(), (4, 4, 8))
    r = r + torch.tensor([0.375, 0.375, 0.875])[:, None, None, None]  # averages lie between voxels
    field = DipoleConvolution(shape, voxel_size, OBLIQUE, kernel="image", dtype=torch.float64)(ball)[0, 0]
    distance = r.norm(dim=0)
    expected = (radius / distance) ** 3 * (3 * (along(r, OBLIQUE) / distance) ** 2 - 1) / 3
    outside = distance > radius + 4
    assert (field - expected)[outside].norm() < 0.02 * expected[outside].norm()


@pytest.mark.parametrize("angle", [90.0, 54.7356, 30.0, 0.0])
def test_infinite_cylinder(angle: float) -> None:
    """Along y, in B0 at an angle: inside chi (3 cos^2 - 1)/6, outside chi/2 (a/r)^2 sin^2 cos(2 phi)."""
    n, radius, theta = 128, 8.0, math.radians(angle)
    r = places((n, 2, n))
    distance = torch.hypot(r[0], r[2])
    rod = (radius - distance + 0.5).clamp(0, 1)[None, None]
    direction = (math.sin(theta), math.cos(theta), 0.0)
    field = DipoleConvolution((n, 2, n), b0_direction=direction, padding=1.0, dtype=torch.float64)(rod)[0, 0]
    field = field + rod.mean() * (3 * math.cos(theta) ** 2 - 1) / 6  # zero frequency, lost in a periodic map
    cos_2phi = (r[0] ** 2 - r[2] ** 2) / distance.clamp(min=1) ** 2
    expected = 0.5 * (radius / distance.clamp(min=1)) ** 2 * math.sin(theta) ** 2 * cos_2phi
    near = (distance > radius + 2) & (distance < 24)
    torch.testing.assert_close(field[near], expected[near], atol=0.01, rtol=0)
    inside = field[distance < radius - 2]
    torch.testing.assert_close(inside, torch.full_like(inside, (3 * math.cos(theta) ** 2 - 1) / 6), atol=0.01, rtol=0)


@pytest.mark.parametrize("kernel", ["kspace", "image"])
def test_turning_object_and_field_by_right_angles_turns_the_result(kernel: str) -> None:
    chi = noise(1, 1, 6, 7, 8)
    turned = chi.permute(0, 1, 4, 2, 3)
    options = {"padding": 2.0, "kernel": kernel, "dtype": torch.float64}
    field = DipoleConvolution((6, 7, 8), (1.0, 2.0, 3.0), OBLIQUE, **options)(chi)
    direction = (OBLIQUE[2], OBLIQUE[0], OBLIQUE[1])
    expected = DipoleConvolution((8, 6, 7), (3.0, 1.0, 2.0), direction, **options)(turned)
    torch.testing.assert_close(field.permute(0, 1, 4, 2, 3), expected)


@pytest.mark.parametrize("voxel_size", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0), (0.5, 1.2, 2.0)])
def test_three_fields_at_right_angles_cancel(voxel_size: tuple[float, ...]) -> None:
    """Lorentz' correction takes the trace of the demagnetizing tensor, 1 inside and 0 outside, away."""
    kernels = [dipole_kernel_from_image_space((24, 24, 12), voxel_size, b, dtype=torch.float64) for b in torch.eye(3)]
    torch.testing.assert_close(sum(kernels), torch.zeros_like(kernels[0]), atol=1e-8, rtol=0)


@pytest.mark.parametrize("voxel_size", [(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (1.0, 1.5, 3.0)])
def test_both_kernels_agree_at_low_frequencies(voxel_size: tuple[float, ...]) -> None:
    shape = tuple(round(48 / size) for size in voxel_size)
    made = dipole_kernel_from_image_space(shape, voxel_size, OBLIQUE, dtype=torch.float64)
    expected = dipole_kernel(shape, voxel_size, OBLIQUE, dtype=torch.float64)
    difference = (made - expected)[:3, :3, :3]
    difference[0, 0, 0] = 0
    assert difference.abs().max() < 0.07  # the end of the grid, at the lowest one


def test_on_a_doubled_grid_the_image_kernel_does_not_wrap() -> None:
    point = torch.zeros(1, 1, 9, 9, 9, dtype=torch.float64)
    point[0, 0, 0, 0, 0] = 1
    field = DipoleConvolution((9, 9, 9), padding=2.0, kernel="image", dtype=torch.float64)(point)[0, 0]
    torch.testing.assert_close(field[0, 0, 8], torch.tensor(2 / 8**3 / (4 * math.pi), dtype=torch.float64))
    torch.testing.assert_close(field[8, 0, 0], torch.tensor(-1 / 8**3 / (4 * math.pi), dtype=torch.float64))


def test_filter_of_ones_is_the_identity_and_pads() -> None:
    x = noise(1, 2, 5, 6, 7)
    torch.testing.assert_close(filter_kspace(x, torch.ones(8, 9, 10, dtype=torch.float64)), x)


def test_float32_stays_float32_and_is_close() -> None:
    x = noise(1, 1, 8, 8, 8)
    single = DipoleConvolution((8, 8, 8), b0_direction=OBLIQUE)(x.float())
    double = DipoleConvolution((8, 8, 8), b0_direction=OBLIQUE, dtype=torch.float64)(x)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, atol=1e-6, rtol=0)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_runs_on_a_gpu() -> None:
    x = noise(1, 1, 8, 8, 8).float()
    there, here = (DipoleConvolution((8, 8, 8), b0_direction=OBLIQUE, device=device) for device in ("cuda", "cpu"))
    torch.testing.assert_close(there(x.cuda()).cpu(), here(x))


def test_padding_of_one_changes_nothing_and_others_are_fast_sizes() -> None:
    assert padded_shape((7, 13, 31), 1) == (7, 13, 31)
    assert padded_shape((7, 13, 31), 2) == (15, 27, 64)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"voxel_size": (1.0, 0.0, 1.0)}, r"voxel_size must be positive, got \[1.0, 0.0, 1.0\]"),
        ({"b0_direction": (0.0, 0.0, 0.0)}, "b0_direction must not have length zero"),
        ({"padding": 0.5}, "padding must be a factor of at least 1, got 0.5"),
        ({"kernel": "other"}, "kernel must be 'kspace' or 'image', got 'other'"),
    ],
)
def test_rejects(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DipoleConvolution((4, 4, 4), **options)


def test_a_paramagnetic_sphere_raises_the_field_at_its_poles_and_lowers_it_at_its_equator() -> None:
    ball = (places((32, 32, 32)).norm(dim=0) < 4).double()[None, None]
    field = DipoleConvolution((32, 32, 32), b0_direction=(0, 0, 1), dtype=torch.float64)(ball)[0, 0]
    assert field[16, 16, 22] > 0.1 > 0 > -0.05 > field[22, 16, 16]
