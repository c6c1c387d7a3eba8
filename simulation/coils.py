"""Sensitivities of simulated receive coils."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def wire_sensitivities(shape: tuple[int, int], n_coils: int = 8, distance: float = 1.4) -> Tensor:
    """Return what straight wires around a plane receive: ``1 / conj(z - z_j)``, of unit norm over the coils.

    The field of a long wire at z_j, across the plane, falls with the distance and turns around it (Biot and Savart), so
    that the sensitivities are smooth and fulfill Maxwell's equations in the plane.

    Args:
        shape: ``(h, w)``; the plane has a half width of one along its longer side.
        n_coils: wires, evenly spaced on a circle.
        distance: of the wires from the center; more than the square root of two is outside of any plane.

    Returns:
        ``(coil, h, w)``, complex64.
    """
    h, w = shape
    half = max(shape) / 2
    y, x = ((torch.arange(n, dtype=torch.float64) - (n - 1) / 2) / half for n in shape)
    place = torch.complex(x.expand(h, w), y[:, None].expand(h, w))
    angles = 2 * math.pi * (torch.arange(n_coils, dtype=torch.float64) + 0.5) / n_coils
    wires = distance * torch.polar(torch.ones_like(angles), angles)
    fields = 1 / (place - wires[:, None, None]).conj()
    return (fields / torch.linalg.vector_norm(fields, dim=0)).to(torch.complex64)
