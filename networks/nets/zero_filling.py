"""Zero-filled reconstruction, in a network's place."""

from __future__ import annotations

from torch import Tensor, nn

from ...operators.fourier import kspace_to_image


class ZeroFilling(nn.Module):
    """Transform k-space with zeros where it was not measured; no parameters."""

    def forward(self, kspace: Tensor, *others: Tensor | None) -> Tensor:
        """Map centered orthonormal k-space ``(b, 1, h, w)`` to a complex image; the other arguments are not used."""
        return kspace_to_image(kspace)
