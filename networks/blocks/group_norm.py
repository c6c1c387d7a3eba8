"""Group normalization that stays fast when training in bfloat16 on CPUs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GroupNorm3d(nn.GroupNorm):
    """:class:`torch.nn.GroupNorm` of volumes, by the faster of two equal ways.

    On CPUs, the backward pass of torch's kernel for channels-last half-precision tensors takes some ten times
    as long as the one for contiguous tensors (torch 2.13, groups of two channels), longer than a convolution.
    Training therefore goes through the contiguous format and back. All else is torch's own.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalize features ``(b, c, x, y, z)``; shape, dtype and memory format are kept."""
        is_slow = input.requires_grad and input.device.type == "cpu" and input.dtype.itemsize == 2
        if not is_slow or input.is_contiguous():
            return super().forward(input)
        return super().forward(input.contiguous()).contiguous(memory_format=torch.channels_last_3d)
