"""The loss with which QSMnet is trained."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules.loss import _Loss

from ..operators.b0_direction import Vector
from .dipole_model import ModelLoss
from .gradient import GradientLoss


class QSMLoss(_Loss):
    """``L1 + 0.5 model + 0.1 gradient``, the loss of QSMnet.

    Yoon et al. 2018, NeuroImage 179:199, doi:10.1016/j.neuroimage.2018.06.030. The published code scores L1 and
    gradient between maps that are normalized by the mean and the standard deviation of all training maps, and the model
    term in ppm, where it is some hundred times as small as its weight suggests. Maps are in ppm here, and L1 and
    gradient are divided by ``susceptibility_std``, which is the same since the means cancel. L1 and gradient are over
    all voxels, only the model term over the mask.

    Args:
        susceptibility_std: ppm, of the training maps within the mask.
        field_std: ppm; divides the model term, for a weight that means what it says. None leaves it in ppm, as
            published.
        model_weight: of the model term.
        gradient_weight: of the gradient term.
        padding: see :class:`ModelLoss`.
        voxel_size: mm, for calls that give none.
        b0_direction: in voxel axes, for calls that give none.

    Raises:
        ValueError: if a standard deviation is not positive or a weight negative.
    """

    def __init__(
        self,
        susceptibility_std: float = 0.03,
        field_std: float | None = None,
        model_weight: float = 0.5,
        gradient_weight: float = 0.1,
        padding: float = 1.0,
        voxel_size: Vector = (1.0, 1.0, 1.0),
        b0_direction: Vector = (0.0, 0.0, 1.0),
    ) -> None:
        super().__init__()
        if not susceptibility_std > 0 or (field_std is not None and not field_std > 0):
            raise ValueError(f"standard deviations must be positive, got {susceptibility_std=}, {field_std=}")
        if model_weight < 0 or gradient_weight < 0:
            raise ValueError(f"weights must not be negative, got {model_weight=}, {gradient_weight=}")
        self.susceptibility_std = susceptibility_std
        self.field_std = 1.0 if field_std is None else field_std
        self.model_weight = model_weight
        self.gradient_weight = gradient_weight
        self.voxel_size, self.b0_direction = voxel_size, b0_direction
        self.model = ModelLoss(padding)
        self.gradient = GradientLoss()

    def forward(
        self,
        prediction: Tensor,
        target: Tensor,
        field: Tensor | None = None,
        mask: Tensor | None = None,
        voxel_size: Vector | None = None,
        b0_direction: Vector | None = None,
    ) -> Tensor:
        """Compare maps.

        Args:
            prediction: ppm, ``(b, 1, x, y, z)``.
            target: ppm, of the same shape.
            field: measured, ppm, of the same shape; the field of ``target`` if it is None.
            mask: where fields are compared, of the same shape.
            voxel_size: mm, ``(3,)`` or ``(b, 3)``; that of the constructor if it is None.
            b0_direction: in voxel axes, ``(3,)`` or ``(b, 3)``; that of the constructor if it is None.

        Raises:
            ValueError: if the maps have other shapes.
        """
        if prediction.shape != target.shape:
            raise ValueError(f"maps must have the same shape, got {list(prediction.shape)} and {list(target.shape)}")
        voxel_size = self.voxel_size if voxel_size is None else voxel_size
        b0_direction = self.b0_direction if b0_direction is None else b0_direction
        maps = F.l1_loss(prediction, target) + self.gradient_weight * self.gradient(prediction, target)
        maps = maps / self.susceptibility_std
        if not self.model_weight:
            return maps
        if field is None:
            field = self.model.field_of(target, voxel_size, b0_direction)
        model = self.model(prediction, field, voxel_size, b0_direction, mask) / self.field_std
        return maps + self.model_weight * model
