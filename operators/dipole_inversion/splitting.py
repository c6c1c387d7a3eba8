"""Alternating directions for total variation: the arrays of one problem, one turn through its steps, and all turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..dipole import SPATIAL

RELAXATION = 1.8  # of at most 2; 1 is none
BETWEEN_CHECKS = 5  # turns


@dataclass(frozen=True)
class Problem:
    """Minimize ``1/2 |W (D chi - b)|^2 + weight |E gradient(chi)|_1``, in units of the penalty of a field's split.

    There may be several fields of one map, such as one field filtered in several ways, with a kernel and data weights
    each: ``sum_i 1/2 |W_i (D_i chi - b_i)|^2``.

    Attributes:
        field: b, ``(b, n, x, y, z)``.
        kernel: D, half of k-space, ``(b, n, X, Y, Z // 2 + 1)``.
        power: spectrum of adjoint times gradient, half of k-space.
        spacing: mm along each axis, each ``(b, 1, 1, 1, 1)``.
        weight: ``(b, 1, 1, 1, 1)``.
        penalty: of differences that are not yet what they are split into, ``(b, 1, 1, 1, 1)``.
        data_weight: W, of the shape of the field, or None for 1 everywhere, where the field is not split.
        edges: E, ``(3, b, 1, x, y, z)``, or None for 1 everywhere.
    """

    field: Tensor
    kernel: Tensor
    power: Tensor
    spacing: Sequence[Tensor]
    weight: Tensor
    penalty: Tensor
    data_weight: Tensor | None = None
    edges: Tensor | None = None


class Splitting:
    """Where the alternating direction method stands, with differences in units of what shrinkage takes from them.

    The step for the map is in closed form. All arrays are changed in place: of the three axes, the dual differences and
    what the next step for the map wants are kept, and nothing else.

    Args:
        problem: what is minimized.
        start: a map to start from; zero if it is None.
    """

    def __init__(self, problem: Problem, start: Tensor | None = None) -> None:
        self.problem, self.shape = problem, problem.field.shape[-3:]
        normal = (problem.kernel**2).sum(1, keepdim=True) + problem.penalty * problem.power
        inverse = torch.where(normal == 0, 0, 1 / normal)
        self.from_field, self.from_differences = problem.kernel * inverse, problem.penalty * inverse
        step = problem.weight / problem.penalty
        self.units = [step * size for size in problem.spacing]
        self.scales = [step / size for size in problem.spacing]
        self.weight_squared = None if problem.data_weight is None else problem.data_weight**2
        self.weighted = problem.field if self.weight_squared is None else problem.field * self.weight_squared
        self.chi = torch.zeros_like(problem.field[:, :1]) if start is None else start
        self.wanted = [self._difference(axis, torch.empty_like(self.chi)) for axis in range(3)]
        self.duals = [differences.clamp(-1, 1) for differences in self.wanted]
        self.wanted = [differences - dual for differences, dual in zip(self.wanted, self.duals, strict=True)]
        self.field_split, self.field_dual = self._first_fields()
        self.spectrum = torch.fft.rfftn(self.field_split - self.field_dual, dim=SPATIAL)
        self.buffer = torch.empty_like(self.chi)

    def turn(self) -> None:
        """Take each step once: the map, its differences, its field."""
        spectrum = torch.fft.rfftn(self._divergence(), dim=SPATIAL).mul_(self.from_differences)
        for part, of_field in zip(self.spectrum.split(1, 1), self.from_field.split(1, 1), strict=True):
            spectrum.addcmul_(part, of_field.to(spectrum.dtype))
        modeled = None if self.weight_squared is None else self._image(spectrum * self.problem.kernel)
        self.chi = self._image(spectrum)
        for axis in range(3):
            self._shrink(axis)
        if modeled is not None:
            self._weigh(modeled)

    def _image(self, spectrum: Tensor) -> Tensor:
        return torch.fft.irfftn(spectrum, s=self.shape, dim=SPATIAL)

    def _first_fields(self) -> tuple[Tensor, Tensor]:
        """Return the split field and its dual, as they are where the start is the minimizer."""
        if self.weight_squared is None:
            return self.problem.field, torch.zeros_like(self.problem.field)
        modeled = self._image(torch.fft.rfftn(self.chi, dim=SPATIAL) * self.problem.kernel)
        return modeled, self.weight_squared * modeled - self.weighted

    def _difference(self, axis: int, out: Tensor) -> Tensor:
        """Write the periodic forward differences of the map, in units of the shrinkage, into ``out``."""
        dim, n = SPATIAL[axis], self.shape[axis]
        here, ahead = self.chi.narrow(dim, 0, n - 1), self.chi.narrow(dim, 1, n - 1)
        torch.sub(ahead, here, out=out.narrow(dim, 0, n - 1))
        torch.sub(self.chi.narrow(dim, 0, 1), self.chi.narrow(dim, n - 1, 1), out=out.narrow(dim, n - 1, 1))
        return out.div_(self.units[axis])

    def _divergence(self) -> Tensor:
        """Return the adjoint of the differences, of what the next step for the map wants them to be."""
        total = torch.zeros_like(self.chi)
        for axis, wanted in enumerate(self.wanted):
            dim, n = SPATIAL[axis], self.shape[axis]
            scaled = torch.mul(wanted, self.scales[axis], out=self.buffer)
            total.sub_(scaled)
            total.narrow(dim, 1, n - 1).add_(scaled.narrow(dim, 0, n - 1))
            total.narrow(dim, 0, 1).add_(scaled.narrow(dim, n - 1, 1))
        return total

    def _shrink(self, axis: int) -> None:
        """Shrink relaxed differences plus duals: what is cut off is the new dual, the rest less it is wanted next."""
        wanted, dual = self.wanted[axis], self.duals[axis]
        shrunk_before = wanted.add_(dual)
        differences = self._difference(axis, self.buffer)
        dual.add_(shrunk_before, alpha=1 - RELAXATION).add_(differences, alpha=RELAXATION)
        wanted.copy_(dual)
        if self.problem.edges is None:
            dual.clamp_(-1, 1)
        else:
            dual.clamp_(-self.problem.edges[axis], self.problem.edges[axis])
        wanted.sub_(dual, alpha=2)

    def _weigh(self, modeled: Tensor) -> None:
        """Split the field into what is measured, as far as it has weight, and what is modeled."""
        assert self.weight_squared is not None
        modeled.mul_(RELAXATION).add_(self.field_split, alpha=1 - RELAXATION).add_(self.field_dual)
        torch.add(self.weighted, modeled, out=self.field_split).div_(1 + self.weight_squared)
        torch.sub(modeled, self.field_split, out=self.field_dual)
        self.spectrum = torch.fft.rfftn(self.field_split - self.field_dual, dim=SPATIAL)


def minimize(problem: Problem, start: Tensor | None, counted: Tensor, n_iterations: int, tolerance: float) -> Tensor:
    """Turn until the map is as near to the minimizer as wanted.

    Args:
        problem: what is minimized.
        start: see :class:`Splitting`.
        counted: the voxels whose change counts, ``(b, 1, x, y, z)``.
        n_iterations: turns at most.
        tolerance: distance to the minimizer, relative to the map, as far as the turns tell.

    Returns:
        ``(b, 1, x, y, z)``.
    """
    splitting = Splitting(problem, start)
    previous, last_change = splitting.chi, torch.inf
    for turn in range(1, n_iterations + 1):
        splitting.turn()
        if turn % BETWEEN_CHECKS:
            continue
        change = _relative((splitting.chi - previous) * counted, splitting.chi * counted)
        if change == 0 or _remaining(change, last_change) < tolerance:
            break
        previous, last_change = splitting.chi, change
    return splitting.chi


def _remaining(change: float, last_change: float) -> float:
    """Return the sum of all changes to come, where each is the same share of the one before."""
    share = change / last_change
    return change * share / (1 - share) if 0 < share < 1 else torch.inf


def _relative(change: Tensor, whole: Tensor) -> float:
    """Return the largest norm of a batch of changes, each relative to that of the whole."""
    norms = [x.flatten(1).norm(dim=1) for x in (change, whole)]
    return float((norms[0] / norms[1].clamp(min=torch.finfo(whole.dtype).tiny)).max())
