"""MANet with one tensor in and one out, as MONAI's commands call a network."""

from __future__ import annotations

import torch
from torch import Tensor

from .manet import MANet


class StackedMANet(MANet):
    """A :class:`MANet`, with its weights, whose inputs are channels of one tensor.

    MONAI's ``verify_net_in_out``, ``ckpt_export`` and ``onnx_export`` know one real input and one tensor as output.
    Arguments and errors are those of :class:`MANet`.
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Map ``(b, 4, h, w)`` or ``(b, 7, h, w)`` to the magnitude of the target, ``(b, 1, h, w)``.

        Args:
            x: real and imaginary part of k-space, the magnitude of the guide, and the mask, not zero where there are
                samples. Then, where there is noise, its standard deviation, and real and imaginary part of samples.
        """
        kspace = torch.complex(x[:, :1], x[:, 1:2])
        if x.shape[1] < 7:
            return self.reconstruct(kspace, x[:, 2:3], x[:, 3:4] != 0)["image"]
        measured = torch.complex(x[:, 5:6], x[:, 6:7])
        return self.reconstruct(kspace, x[:, 2:3], x[:, 3:4] != 0, x[:, 4:5, :1, :1], measured)["image"]
