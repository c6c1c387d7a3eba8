"""The local field of the susceptibility that explains a total field but for its means over spheres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..b0_direction import Vector
from ..dipole import SPATIAL, dipole_kernel, fast_shape, fill_up, padded_shape
from ..dipole_inversion.noise_weighting import weight_for_noise
from ..dipole_inversion.splitting import Problem, minimize
from ..dipole_inversion.total_variation import FIELD_PENALTY, SHRINKAGE
from ..gradient import gradient_power
from .spherical_mean import sphere
from .vsharp import fitting_spheres, require_radii

SMALLEST = 3.0  # mm, where voxels are smaller
PADDING = 1.25


def single_step(  # noqa: PLR0913 - the common arguments of all methods and its own
    field: Tensor,
    mask: Tensor,
    voxel_size: Vector,
    b0_direction: Vector,
    *,
    weight: Tensor | None = None,
    noise: float = 1e-3,
    radius: float = 12.0,
    smallest_radius: float | None = None,
    n_radii: int = 4,
    share_of_weight: float = 0.25,
    n_iterations: int = 100,
    tolerance: float = 0.02,
) -> tuple[Tensor, Tensor]:
    """Remove the field of sources outside of a mask by the map of those inside.

    Sources outside have harmonic fields inside, which means over spheres do not change. What differs from the means is
    of sources inside, whatever the sphere, so that their map follows in one step with the background, without a
    division by what the means take away (as :func:`vsharp` does): ``sum_i 1/2 |W M_i (delta - s_i) (D chi - field)|^2
    + weight |gradient(chi)|_1`` is minimized, with each voxel in the M_i of the largest sphere s_i that fits into the
    mask. After Chatnuntawech et al. 2017, NMR Biomed 30:e3570, doi:10.1002/nbm.3570, who penalize maps otherwise. The
    local field is then ``D chi`` of the sources in the mask that is left, and what the map leaves of the differences,
    noise for the most part.

    Args:
        field: ppm, ``(1, 1, x, y, z)``.
        mask: 0 and 1, of the same shape.
        voxel_size: mm, ``(3,)``.
        b0_direction: in voxel axes, ``(3,)``.
        weight: W, of the same shape, at most 1; 1 if it is None.
        noise: standard deviation of the field (ppm), from which the weight of total variation follows.
        radius: of the largest sphere, mm.
        smallest_radius: mm; 3 mm, or the longest side of a voxel, if it is None. The mask loses about as much of its
            border.
        n_radii: of spheres, each in the same proportion to the next.
        share_of_weight: of the weight of total variation that a map wants; less, as the field is inverted once more.
        n_iterations: at most.
        tolerance: of the map, see :func:`minimize`.

    Returns:
        The local field, zero outside of the mask that is left, and that mask.

    Raises:
        ValueError: if ``n_radii`` or ``n_iterations`` is below 1, ``share_of_weight`` not positive, ``noise`` negative,
            or the largest sphere is smaller than the smallest or too large.
    """
    if not (n_radii >= 1 and n_iterations >= 1 and share_of_weight > 0):
        raise ValueError(
            f"n_radii and n_iterations must be at least 1 and share_of_weight positive, got {n_radii=}, "
            f"{n_iterations=}, {share_of_weight=}"
        )
    sizes = torch.as_tensor(voxel_size, dtype=field.dtype)
    smallest = max(float(sizes.max()), SMALLEST) if smallest_radius is None else smallest_radius
    require_radii(radius, smallest)
    step = (smallest / radius) ** (1 / max(n_radii - 1, 1))
    parts = fitting_spheres(mask, sizes.tolist(), [radius * step**i for i in range(n_radii)])
    if not parts:
        return torch.zeros_like(field), torch.zeros_like(mask, dtype=torch.bool)
    left = torch.stack([fits for _, fits in parts]).any(0)
    filtered = _Filtered.of(field * (mask > 0), [radius for radius, _ in parts], sizes, b0_direction)
    trust = torch.cat([fits.to(field.dtype) for _, fits in parts], 1) * (1 if weight is None else weight)
    problem = filtered.problem(trust, weight_for_noise(noise, voxel_size).to(field.dtype) * share_of_weight, sizes)
    chi = minimize(problem, None, filtered.pad((mask > 0).to(field.dtype)), n_iterations, tolerance)
    local = filtered.local(chi, filtered.pad(left.to(field.dtype)), filtered.pad((trust > 0).to(field.dtype)))
    x, y, z = field.shape[-3:]
    return local[..., :x, :y, :z] * left, left


@dataclass(frozen=True)
class _Filtered:
    """A field less its means over some spheres, on a grid with room around it.

    Attributes:
        fields: ``(1, n, X, Y, Z)``, for n spheres.
        passed: what is left by the means, half of k-space, ``(1, n, X, Y, Z // 2 + 1)``.
        dipole: half of k-space.
    """

    fields: Tensor
    passed: Tensor
    dipole: Tensor

    @classmethod
    def of(cls, field: Tensor, radii: Sequence[float], voxel_size: Tensor, b0_direction: Vector) -> _Filtered:
        """Filter a field that is zero outside of its mask."""
        shape = fast_shape(padded_shape(field.shape[-3:], PADDING))
        half = shape[-1] // 2 + 1
        means = [torch.fft.rfftn(sphere(shape, voxel_size.tolist(), radius), dim=SPATIAL).real for radius in radii]
        passed = 1 - torch.stack(means)[None].to(field.dtype)
        spectrum = torch.fft.rfftn(fill_up(field, shape), dim=SPATIAL)
        dipole = dipole_kernel(shape, voxel_size, b0_direction, dtype=field.dtype)[..., :half]
        return cls(torch.fft.irfftn(spectrum * passed, s=shape, dim=SPATIAL), passed, dipole)

    def problem(self, trust: Tensor, weight: Tensor, voxel_size: Tensor) -> Problem:
        """Return the problem that the map solves, each field trusted in its own voxels."""
        shape = self.fields.shape[-3:]
        scaled = (weight / FIELD_PENALTY)[:, None, None, None, None]
        return Problem(
            field=self.fields,
            kernel=self.passed * self.dipole,
            power=gradient_power(shape, voxel_size[None])[..., : self.dipole.shape[-1]],
            spacing=list(voxel_size[:, None, None, None, None, None]),
            weight=scaled,
            penalty=scaled * voxel_size.prod() ** (1 / 3) / SHRINKAGE,
            data_weight=self.pad(trust) / FIELD_PENALTY**0.5,
        )

    def local(self, chi: Tensor, sources: Tensor, known: Tensor) -> Tensor:
        """Return the field of a map's sources, and what the map leaves of the differences where they are known."""
        made = torch.fft.rfftn(chi, dim=SPATIAL) * self.dipole
        rest = (self.fields - self._image(made * self.passed)) * known
        return self._image(torch.fft.rfftn(chi * sources, dim=SPATIAL) * self.dipole) + rest.sum(1, keepdim=True)

    def pad(self, volume: Tensor) -> Tensor:
        """Fill a volume with zeros at its ends to the grid."""
        return fill_up(volume, self.fields.shape[-3:])

    def _image(self, spectrum: Tensor) -> Tensor:
        return torch.fft.irfftn(spectrum, s=self.fields.shape[-3:], dim=SPATIAL)
