"""Make of phase and magnitude of gradient echoes the local field that an inversion needs."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from torch import Tensor

from ..datasets.case import Case
from ..datasets.echoes import SAME, Echoes, read_echoes
from ..datasets.file_names import stem_of
from ..datasets.input_error import InputError
from ..datasets.phase_cases import name_without_echo
from ..datasets.plausible_units import checked_b0, checked_echo_time
from ..operators.b0_direction import voxel_size_from_affine
from ..operators.field_units import units_per_ppm
from ..operators.phase.background import NamedBackground
from ..operators.phase.scaling import PhaseScale, phase_scale
from .load_local_field import Direction, direction_of, parse_direction
from .phase_field import FieldOfPhase, field_of_phase
from .phase_mask import head_mask
from .ppm_check import check_is_ppm

logger = logging.getLogger(__name__)

PROCESSING = "processing"
"""Key in ``meta`` of what was done, as JSON, for sidecars."""

FEW = 0.001  # share of voxels beside wraps that is no cause for a warning
MUCH = 0.4  # of a mask that is lost
THIN = 16  # voxels along an axis, below which most of the fields of sources lies outside
GROWN = 1.05  # times the signal of an earlier echo, which decay does not make


class LoadPhased(MapTransform):
    """Load a local field in ppm ``(1, x, y, z)`` from ``phase`` and ``magnitude`` of a case, as LoadLocalFieldd does.

    Phase is scaled to radians (:func:`phase_scale`), unwrapped (:func:`unwrap_echoes`), fitted over echoes
    (:func:`fit_echoes`), within a mask whose border is worn where the fit is bad, and freed from the field of sources
    outside of it (:class:`NamedBackground`). One line in the log tells how well that went.

    Adds what LoadLocalFieldd adds, ``mask``, ``voxel_size`` and ``b0_direction``; ``noise``, the standard deviation of
    the field (ppm), from magnitude, echo times and fit; in the place of the paths of magnitude the root of the sum of
    its squares over echoes; and the stages ``fieldmap`` (Hz), ``localfield`` (ppm),
    ``phase_mask``, ``residual`` of the fit (rad) and ``phase_noise``, which stay on the grid of the files.

    Args:
        keys: of the path of the first phase, at which the field will be.
        phase_key: of the paths of phase.
        magnitude_key: of the paths of magnitude.
        mask_key: of the path of a brain mask, which may be missing.
        phase_range: values of the files that are -pi and pi; None to tell by their range and maker.
        echo_time: s, of the echoes in their order, or of one; those of sidecars and DICOM headers if it is None.
        b0: T; that of the sidecar (``MagneticFieldStrength``) if it is None.
        b0_direction: see LoadLocalFieldd.
        background: a method of :data:`BACKGROUNDS`, or with its options, ``{"method": "vsharp", "radius": 12}``.
        brain_extraction: find the brain in the magnitude by deepbet, instead of where there is signal.
        allow_nan: replace NaN and Inf by 0 instead of refusing them.
        invert: change the sign, of phase that falls where the field is higher.

    Raises:
        InputError: if an option or a sidecar does not tell what it should, a file is unusable, or nothing is left of
            the mask.
    """

    def __init__(  # noqa: PLR0913 - what a scan may leave open
        self,
        keys: KeysCollection = "image",
        phase_key: str = "phase",
        magnitude_key: str = "magnitude",
        mask_key: str = "mask",
        *,
        phase_range: Sequence[float] | None = None,
        echo_time: Sequence[float] | float | None = None,
        b0: float | None = None,
        b0_direction: Direction | None = None,
        background: str | Mapping[str, Any] = "single_step",
        brain_extraction: bool = False,
        allow_nan: bool = False,
        invert: bool = False,
    ) -> None:
        super().__init__(keys)
        self.phase_key, self.magnitude_key, self.mask_key = phase_key, magnitude_key, mask_key
        self.phase_range = phase_range
        times = [echo_time] if isinstance(echo_time, int | float) else echo_time
        self.echo_times = None if times is None else [checked_echo_time(time, "`echo_time`") for time in times]
        self.b0 = None if b0 is None else checked_b0(b0, "`b0`")
        self.direction = None if b0_direction is None else parse_direction(b0_direction, "`b0_direction`")
        self.background = _background(background)
        self.brain_extraction, self.allow_nan, self.invert = brain_extraction, allow_nan, invert

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace the path at the key by the field."""
        out = dict(data)
        paths = [_paths(out.get(key)) for key in (self.phase_key, self.magnitude_key)]
        echoes = read_echoes(*paths, self.echo_times, self.allow_nan)
        place = Path(echoes.first.meta["filename_or_obj"])
        _tell_of_another_strength(place, echoes.told, self.b0)
        scale = self._scale(place, echoes)
        phase = scale(echoes.phase) * (-1 if self.invert else 1)
        b0 = self._b0(place, echoes.told)
        mask = head_mask(echoes, phase, out.get(self.mask_key), self.brain_extraction)
        size = voxel_size_from_affine(echoes.first.affine.numpy()).float()
        direction = direction_of(place, echoes.told, echoes.first, self.direction)
        _tell_of_growth(place, echoes, mask)
        found = field_of_phase(phase, echoes, mask, self.background, (size, direction), units_per_ppm("hz", b0))
        check_is_ppm(found.local, "field", str(place), "check `echo_time` (s), `b0` (T), `phase_range` and `mask`")
        _tell(Case.of(data).name or place.name, echoes, found)
        return out | self._entries(echoes, found, scale, b0) | {"voxel_size": size, "b0_direction": direction}

    def _scale(self, place: Path, echoes: Echoes) -> PhaseScale:
        low, high = float(echoes.phase.min()), float(echoes.phase.max())
        told = (echoes.told.get(name) for name in ("Manufacturer", "Units"))
        maker, units = (value if isinstance(value, str) else None for value in told)
        try:
            return phase_scale(low, high, maker, units, self.phase_range)
        except ValueError as error:
            remedy = "set `phase_range` to the values that are -pi and pi, such as 0,4096"
            raise InputError.at(place, str(error), remedy) from error

    def _b0(self, place: Path, told: Mapping[str, Any]) -> float:
        if self.b0 is not None:
            return self.b0
        if "MagneticFieldStrength" not in told:
            raise InputError.at(place, "no MagneticFieldStrength in a sidecar", "give `b0` (T)")
        return checked_b0(told["MagneticFieldStrength"], f"MagneticFieldStrength of {place}")

    def _entries(self, echoes: Echoes, found: FieldOfPhase, scale: PhaseScale, b0: float) -> dict[Hashable, Any]:
        volumes = {"fieldmap": found.total, "localfield": found.local, "residual": found.residual}
        volumes |= {"noise": found.noise, "phase_noise": found.noise}
        entries: dict[Hashable, Any] = {name: _volume(values, echoes) for name, values in volumes.items()}
        entries[self.magnitude_key] = _volume(echoes.magnitude.square().sum(0).sqrt(), echoes)
        for name in (self.mask_key, "phase_mask"):
            entries[name] = _volume(found.mask.to(torch.uint8), echoes)
        image = _volume(found.local, echoes)
        image.meta[PROCESSING] = json.dumps(self._told(echoes, found, scale, b0))
        return entries | {key: image.clone() for key in self.keys}

    def _told(self, echoes: Echoes, found: FieldOfPhase, scale: PhaseScale, b0: float) -> dict[str, Any]:
        return {
            "EchoTime": [round(time, 7) for time in echoes.echo_times],
            "MagneticFieldStrength": b0,
            "PhaseScale": {"-pi": scale.low, "pi": scale.high, "is": scale.name},
            "BackgroundFieldRemoval": {"Method": self.background.method, **self.background.settings},
            "FitResidual": round(found.median_residual, 4) if len(echoes.echo_times) > 1 else None,
            "VoxelsBesideWraps": round(found.wraps, 6),
            "MaskEroded": round(found.eroded, 4),
            "FieldNoise": round(found.median_noise, 6),
        }


def _background(given: str | Mapping[str, Any]) -> NamedBackground:
    try:
        return NamedBackground(given) if isinstance(given, str) else NamedBackground(**given)
    except (TypeError, ValueError) as error:
        raise InputError.at("`background`", str(error), "choose one of these") from error


def _paths(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str | Path) else list(value)


def _volume(values: Tensor, echoes: Echoes) -> MetaTensor:
    meta = {key: value for key, value in echoes.first.meta.items() if key != "affine"}
    place = Path(meta["filename_or_obj"])
    ending = place.name[len(stem_of(place)) :]
    meta["filename_or_obj"] = str(place.with_name(name_without_echo(stem_of(place)) + ending))
    meta["sources"] = "\n".join(echoes.files)
    return MetaTensor(values[None].contiguous(), affine=echoes.first.affine.clone(), meta=meta)


def _tell(name: str, echoes: Echoes, found: FieldOfPhase) -> None:
    n_echoes = len(echoes.echo_times)
    fit = f", residual {found.median_residual:.3g} rad" if n_echoes > 1 else ""
    text = "%s: field of %d echo%s%s, noise %.3g ppb; wraps beside %.2g %% of voxels, mask eroded by %.3g %%"
    numbers = found.median_noise * 1e3, 100 * found.wraps, 100 * found.eroded
    logger.info(text, name, n_echoes, "es" if n_echoes > 1 else "", fit, *numbers)
    if min(found.mask.shape) < THIN:
        message = "%s: only %d voxels along an axis: a slab this thin does not hold the fields of its sources"
        logger.warning(message, name, min(found.mask.shape))
    if found.eroded > MUCH:
        message = (
            "%s: %.0f %% of its mask are lost, to spheres at the border or bad phase; look at the field, or give `mask`"
        )
        logger.warning(message, name, 100 * found.eroded)
    if found.wraps > FEW:
        message = "%s: phase still jumps beside %.2g %% of the voxels of its mask; look at the field, or give `mask`"
        logger.warning(message, name, 100 * found.wraps)


def _tell_of_another_strength(place: Path, told: Mapping[str, Any], b0: float | None) -> None:
    """Warn where a field strength (T) that was given is not that of the sidecar or DICOM header."""
    written = told.get("MagneticFieldStrength")
    if b0 is not None and isinstance(written, int | float) and abs(b0 - written) > SAME * abs(written):
        logger.warning("%s: its sidecar or header tells %g, `b0` %g; the latter is used", place, written, b0)


def _tell_of_growth(place: Path, echoes: Echoes, mask: Tensor) -> None:
    """Warn where a later echo has more signal than an earlier one, as when times are in another order than files."""
    signals = [float(echo[mask > 0].mean()) for echo in echoes.magnitude]
    for later in range(1, len(signals)):
        earlier = min(range(later), key=signals.__getitem__)
        if signals[later] > GROWN * signals[earlier]:
            times = echoes.echo_times[earlier], echoes.echo_times[later]
            message = "%s: signal grows from %g to %g s, where it ought to decay; check that echo times belong to files"
            logger.warning(message, place, *times)
            return
