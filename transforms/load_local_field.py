"""Load local fields, in ppm and with the geometry of their dipole, and maps on their grid."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from ..datasets.input_error import InputError
from ..datasets.plausible_units import checked_b0, checked_echo_time
from ..datasets.sidecars import read_sidecar
from ..datasets.volumes import header_of, read_volume
from ..operators.b0_direction import (
    b0_direction_from_affine,
    require_right_angles,
    unit_vectors,
    voxel_size_from_affine,
)
from ..operators.field_units import FieldUnit, units_per_ppm
from .field_plausibility import is_template_space, is_wrapped
from .load_masks import ApplyBrainMaskd
from .ppm_check import Quantity, check_is_ppm
from .volume_grids import same_grid

logger = logging.getLogger(__name__)

Direction = Sequence[float] | str

SMALLEST = 1e-300  # of numbers that tell a direction

UNIT_NAMES: dict[str, FieldUnit] = {
    "ppm": "ppm",
    "ppb": "ppb",
    "hz": "hz",
    "hertz": "hz",
    **dict.fromkeys(("rad", "radian", "radians"), "rad"),
}
"""What sidecars have as ``Units`` of fields."""


class LoadLocalFieldd(MapTransform):
    """Load a local field in ppm ``(1, x, y, z)``, zero outside of the brain, and what its inversion needs.

    Adds ``mask`` (uint8, of the file at this key, else where the field is not zero), ``voxel_size`` (mm, ``(3,)``) and
    ``b0_direction`` (unit vector in voxel axes, ``(3,)``). The direction is the one given here, else ``B0Direction``
    of the field's sidecar (see :func:`~.sidecars.read_sidecar`), else the scanner's z axis by the affine.

    Args:
        keys: of the path of the field, or of a list of one.
        field_unit: of the file: ``"ppm"``, ``"ppb"``, ``"hz"`` or ``"rad"``.
        b0: T, for Hz and rad; that of the sidecar (``MagneticFieldStrength``) if it is None.
        echo_time: s, for rad; that of the sidecar (``EchoTime``) if it is None.
        b0_direction: in the voxel axes of the file, three numbers or ``"X,Y,Z"``.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        invert: change the sign, of phase that falls where the field is higher.

    What may well be wrong is a warning in the log: a direction of B0 from the affine of a template's space, and phase
    that is still wrapped.

    Raises:
        InputError: if an option or a sidecar does not tell what it should, or in an unlikely unit, a file is unusable,
            the mask is empty, or values cannot be ppm.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        field_unit: FieldUnit = "ppm",
        b0: float | None = None,
        echo_time: float | None = None,
        b0_direction: Direction | None = None,
        allow_nan: bool = False,
        invert: bool = False,
    ) -> None:
        super().__init__(keys)
        self.sign = -1.0 if invert else 1.0
        self.field_unit: FieldUnit = UNIT_NAMES.get(str(field_unit).lower(), field_unit)
        self.b0 = None if b0 is None else checked_b0(b0, "`b0`")
        self.echo_time = None if echo_time is None else checked_echo_time(echo_time, "`echo_time`")
        self.direction = None if b0_direction is None else parse_direction(b0_direction, "`b0_direction`")
        self.allow_nan = allow_nan

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path at every key by the field."""
        out = dict(data)
        for key in self.key_iterator(out):
            path = Path(out[key] if isinstance(out[key], (str, Path)) else out[key][0])
            sidecar = read_sidecar(path)
            field = read_volume(path, allow_nan=self.allow_nan)
            if self.field_unit == "rad" and is_wrapped(field.as_tensor()):
                logger.warning("%s: phase jumps by more than pi, it is likely wrapped; unwrap it", path)
            field = field / (self.sign * self._units_per_ppm(path, sidecar))
            masked = ApplyBrainMaskd(key)({key: field, "mask": out.get("mask")})
            field = masked[key]
            check_is_ppm(field.as_tensor(), "field", str(path))
            inside = field != 0 if masked["mask"] is None else masked["mask"]
            out[key], out["mask"] = field, inside.to(torch.uint8)
            out["voxel_size"] = voxel_size_from_affine(field.affine.numpy()).float()
            out["b0_direction"] = direction_of(path, sidecar, field, self.direction)
        return out

    def _units_per_ppm(self, path: Path, sidecar: Mapping[str, Any]) -> float:
        b0, echo_time = self.b0, self.echo_time
        self._check_unit(path, sidecar)
        self._tell_of_no_effect(path)
        if b0 is None and self.field_unit in ("hz", "rad") and "MagneticFieldStrength" in sidecar:
            b0 = checked_b0(sidecar["MagneticFieldStrength"], f"MagneticFieldStrength of {path}")
        if echo_time is None and self.field_unit == "rad" and "EchoTime" in sidecar:
            echo_time = checked_echo_time(sidecar["EchoTime"], f"EchoTime of {path}")
        try:
            return units_per_ppm(self.field_unit, b0, echo_time)
        except ValueError as error:
            raise InputError.at(path, str(error), "give `field_unit`, `b0` (T), `echo_time` (s)") from error

    def _check_unit(self, path: Path, sidecar: Mapping[str, Any]) -> None:
        told = sidecar.get("Units")
        unit = UNIT_NAMES.get(told.lower()) if isinstance(told, str) else None
        if unit is not None and unit != self.field_unit:
            problem = f"its sidecar says that its Units are {told}, `field_unit` is {self.field_unit}"
            raise InputError.at(path, problem, f"set `field_unit` to {unit}, or correct the sidecar")

    def _tell_of_no_effect(self, path: Path) -> None:
        """Warn of what was given, and is of no use for the unit of the field."""
        uses = {"b0": self.field_unit in ("hz", "rad"), "echo_time": self.field_unit == "rad"}
        for name, value in (("b0", self.b0), ("echo_time", self.echo_time)):
            if value is not None and not uses[name]:
                logger.warning("%s: `%s` has no effect on a field in %s", path, name, self.field_unit)


class LoadMapd(MapTransform):
    """Load a map ``(1, x, y, z)`` in ppm and check that it lies on the image's grid.

    Args:
        keys: of the paths of maps.
        what: ``"susceptibility"`` or ``"field"``, see :func:`check_is_ppm`.
        image_key: of the image loaded before.
        allow_missing_keys: skip keys that are not there.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.

    Raises:
        InputError: if the file is unusable, on another grid, or not in ppm.
    """

    def __init__(
        self,
        keys: KeysCollection = "label",
        what: Quantity = "susceptibility",
        image_key: str = "image",
        allow_missing_keys: bool = False,
        allow_nan: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.allow_nan = allow_nan
        self.what: Quantity = what
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path at every key by the map."""
        out = dict(data)
        for key in self.key_iterator(out):
            path, image = out[key], out[self.image_key]
            loaded = read_volume(path, allow_nan=self.allow_nan)
            if not same_grid(loaded, image):
                shapes = f"shape {tuple(loaded.shape[1:])}, its field {tuple(image.shape[1:])}"
                raise InputError.at(path, f"lies on another grid: {shapes}", "resample it to the field's grid")
            check_is_ppm(loaded.as_tensor(), self.what, str(path))
            loaded.affine = image.affine.clone()
            out[key] = loaded
        return out


def direction_of(
    path: Path, sidecar: Mapping[str, Any], field: MetaTensor, given: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the direction of B0 in voxel axes, ``(3,)``: the given one, else that of the sidecar, else by the affine.

    Raises:
        InputError: if the sidecar has another thing, or the axes of voxels are not at right angles.
    """
    try:
        require_right_angles(field.affine.numpy())
    except ValueError as error:
        raise InputError.at(path, str(error), "resample the image to a grid with axes at right angles") from error
    if given is not None:
        return given
    if "B0Direction" in sidecar:
        return parse_direction(sidecar["B0Direction"], f"B0Direction beside {path}")
    if is_template_space(header_of(field)):
        message = "%s: lies in the space of a template, its affine does not tell the direction of B0 in the scanner"
        logger.warning(message + "; give `b0_direction`, or B0Direction in its sidecar", path)
    return b0_direction_from_affine(field.affine.numpy()).float()


def parse_direction(value: Direction, place: str) -> torch.Tensor:
    """Read a direction, three numbers or ``"X,Y,Z"``, as a unit vector ``(3,)``, float32.

    Raises:
        InputError: if it is something else, of length zero, or not finite.
    """
    try:
        numbers = [float(v) for v in (value.split(",") if isinstance(value, str) else value)]
        direction = torch.tensor([numbers], dtype=torch.float64).reshape(1, 3)
        if not direction.isfinite().all():
            raise ValueError("not finite")
        return unit_vectors(direction / direction.abs().max().clamp_min(SMALLEST))[0].float()
    except (TypeError, ValueError, RuntimeError) as error:
        problem = f"{value!r} is no direction"
        raise InputError.at(place, problem, "give three numbers in voxel axes, X,Y,Z, not all zero") from error
