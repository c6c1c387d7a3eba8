"""One input for networks that take a target of low resolution and a guide."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..blocks import start_at_zero


class TwoContrastNetwork(nn.Module):
    """Give a network its two images from the channels of one: the target, zero-filled to the fine grid, and the guide.

    A network on the coarse grid gets every ``stride``-th pixel of the target, which are the very pixels of the image of
    low resolution, for zero-filling of k-space goes through them. A network on the fine grid, of stride 1, is the same
    for every factor of super-resolution. In joint super-resolution both images are of low resolution, and zero-filled.

    Args:
        network: ``network(low)``, or ``network(low, guide)``; its first channel is the target.
        stride: pixels of the fine grid for one of the network's input; what it enlarges by.
        is_guided: the network takes the guide.
        is_residual: add the zero-filled target to the first channel of the output.
        is_joint: the guide is of low resolution as the target is: thin it out too, and with ``is_residual`` add it to
            the second channel of the output.
        heads: names of the network's last convolutions, which start at zero, so that it starts at the image it adds to.

    Raises:
        ValueError: if ``stride`` is below one.
        AttributeError: if the network has no module of a name in ``heads``.
    """

    def __init__(
        self,
        network: nn.Module,
        stride: int = 1,
        is_guided: bool = True,
        is_residual: bool = False,
        is_joint: bool = False,
        heads: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if stride < 1:
            raise ValueError(f"stride must not be below 1, got {stride}")
        self.network = network
        self.stride = stride
        self.is_guided = is_guided
        self.is_residual = is_residual
        self.is_joint = is_joint
        start_at_zero(*map(network.get_submodule, heads))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, 2, h, w)``, the target and the guide, to what the network makes of them, ``(b, c, h, w)``.

        Raises:
            ValueError: if ``x`` has another number of channels.
        """
        if x.shape[1] != 2:
            raise ValueError(f"x must have two channels, got {x.shape[1]}")
        padded = self._pad(x)
        coarse = padded[..., :: self.stride, :: self.stride]
        low, guide = coarse[:, :1], (coarse if self.is_joint else padded)[:, 1:]
        image = self.network(low, guide) if self.is_guided else self.network(low)
        image = image[..., : x.shape[2], : x.shape[3]]
        if not self.is_residual:
            return image
        n = 2 if self.is_joint else 1
        return torch.cat([x[:, :n] + image[:, :n], image[:, n:]], 1)

    def _pad(self, x: Tensor) -> Tensor:
        """Repeat the border up to a multiple of the stride."""
        missing = [-n % self.stride for n in x.shape[2:]]
        return F.pad(x, [0, missing[1], 0, missing[0]], "replicate") if max(missing) > 0 else x
