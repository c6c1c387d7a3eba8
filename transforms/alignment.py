"""Contrasts of one head brought together, where they lie apart."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from ..datasets.input_error import InputError
from .registration import QUICK, register_rigid, similarity
from .rigid_motion import RigidMotion
from .volume_grids import covered_fraction

logger = logging.getLogger(__name__)

ALIGNMENT = "alignment"
"""In the ``meta`` of an image: what :func:`as_json` says of its contrasts."""

LIMIT = 1.0  # mm, of the largest shift of a head; registration finds up to 0.9 between contrasts that are aligned
MAX_ROTATION = 20.0  # degrees, what a head in a coil can turn
MAX_SHIFT = 40.0  # mm
MIN_EXTENT = 20.0  # mm, of images whose position can be measured
SPACING = 4.0  # mm, about, between points at which shifts are taken


class Register(Enum):
    """Which contrasts to move: none, all, or those that lie apart."""

    NEVER = "never"
    ALWAYS = "always"
    AUTO = "auto"

    @classmethod
    def of(cls, value: bool | str | Register) -> Register:
        """Read what configs have as ``register``: true, false, or one of the three words.

        Raises:
            InputError: if it is something else.
        """
        words = {True: "always", False: "never"}
        try:
            return cls(words[value] if isinstance(value, bool) else value)
        except ValueError as error:
            remedy = "give auto, true (or always) or false (or never)"
            raise InputError.at(f"`register` {value}", "no such choice", remedy) from error


@dataclass(frozen=True)
class Alignment:
    """How a contrast lies to the reference.

    Attributes:
        motion: what registration found; None where nothing was measured.
        distance: mm, by which it shifts the head at most.
        is_applied: the contrast was moved.
    """

    motion: RigidMotion | None = None
    distance: float = 0.0
    is_applied: bool = False

    @property
    def matrix(self) -> NDArray[Any]:
        """The world matrix by which the contrast was moved."""
        return self.motion.matrix if self.motion is not None and self.is_applied else np.eye(4)

    def apply(self, moving: MetaTensor) -> MetaTensor:
        """Move ``moving`` if it is to be."""
        return self.motion.apply(moving) if self.motion is not None and self.is_applied else moving


def align(moving: MetaTensor, fixed: MetaTensor, register: Register, reference: str) -> Alignment:
    """Find how ``moving`` lies to ``fixed``, both ``(1, x, y, z)``, and whether it is to be moved.

    ``Register.AUTO`` takes the motion that registration finds if it shifts some point of the head by more than 1 mm,
    could be that of a head in a scanner, and makes the images say more about each other. What could not be is told in
    a line, and left as it is; so are images of too few slices. ``Register.ALWAYS`` takes any, and tells too.

    Args:
        moving: the contrast.
        fixed: the reference.
        register: what to move.
        reference: name of the reference, for what is told.

    Raises:
        InputError: if ITK fails where the contrast is to be moved in any case.
    """
    if register is Register.NEVER:
        return Alignment()
    if register is Register.AUTO:
        return _align_if_apart(moving, fixed, reference)
    motion = register_rigid(moving, fixed)
    distance = _largest_shift(motion, fixed)
    if distance > LIMIT and (doubt := _doubt(motion, moving, fixed)):
        message = "%s: registration to the %s image moves it by %s, %s; look whether they fit"
        logger.warning(message, _place(moving), reference, motion, doubt)
    return Alignment(motion, distance, is_applied=True)


def as_json(register: Register, reference: str, alignments: Mapping[str, Alignment]) -> str:
    """Return what was found, as the field ``Alignment`` of a result's sidecar, in JSON; empty if nothing was measured.

    Args:
        register: what was to be moved.
        reference: name of the reference.
        alignments: by name of the contrast.
    """
    measured = {name: _fields(found.motion, found) for name, found in alignments.items() if found.motion is not None}
    about = {"Reference": reference, "Automatic": register is Register.AUTO, "Contrasts": measured}
    return json.dumps(about) if measured else ""


def _fields(motion: RigidMotion, found: Alignment) -> dict[str, Any]:
    return {
        "Moved": found.is_applied,
        "RotationDegrees": np.round(motion.rotation, 3).tolist(),
        "TranslationMillimeters": np.round(motion.translation, 3).tolist(),
        "LargestShiftMillimeters": round(found.distance, 3),
    }


def _align_if_apart(moving: MetaTensor, fixed: MetaTensor, reference: str) -> Alignment:
    if covered_fraction(fixed, moving) == 0:
        return Alignment()  # nothing to measure; images apart are refused where they are resampled
    if (extent := min(_extent(moving), _extent(fixed))) < MIN_EXTENT:
        message = "%s: it or the %s image is %.0f mm thin, too little to measure whether they are aligned"
        logger.warning(f"{message}; look at both, or set `register` to true", _place(moving), reference, extent)
        return Alignment()
    try:
        motion = register_rigid(moving, fixed, effort=QUICK)
        if (distance := _largest_shift(motion, fixed)) > LIMIT:
            motion = register_rigid(moving, fixed)
            distance = _largest_shift(motion, fixed)
    except InputError as error:
        logger.warning("%s; it stays where its header puts it", error)
        return Alignment()
    if distance <= LIMIT:
        return Alignment(motion, distance)
    if doubt := _doubt(motion, moving, fixed):
        message = "%s: registration to the %s image found %s, %s, so that it stays where its header puts it"
        remedy = "check that they fit, or set `register` to true to move it"
        logger.warning(f"{message}; {remedy}", _place(moving), reference, motion, doubt)
    return Alignment(motion, distance, is_applied=not doubt)


def _doubt(motion: RigidMotion, moving: MetaTensor, fixed: MetaTensor) -> str:
    """Return why a motion is unlikely to be that of the head; empty if it is not."""
    if motion.angle > MAX_ROTATION or np.linalg.norm(motion.translation) > MAX_SHIFT:
        return "more than a head can move in a scanner"
    if similarity(motion.apply(moving), fixed) <= similarity(moving, fixed):
        return "after which they fit no better"
    return ""


def _largest_shift(motion: RigidMotion, image: MetaTensor) -> float:
    """Return how far (mm) a motion takes a point of the head at most, which is above the mean of its image."""
    affine, values = image.affine.numpy(), image.as_tensor()[0]
    steps = [max(1, int(SPACING / size)) for size in np.linalg.norm(affine[:3, :3], axis=0)]
    head = torch.nonzero(values[:: steps[0], :: steps[1], :: steps[2]] > values.mean()).numpy() * steps
    points = np.column_stack([head, np.ones(len(head))]) @ affine.T
    return float(np.linalg.norm(points @ (motion.matrix - np.eye(4)).T, axis=1).max(initial=0))


def _extent(image: MetaTensor) -> float:
    """Return the smallest extent of an image, in mm."""
    sizes = np.linalg.norm(image.affine.numpy()[:3, :3], axis=0)
    return float((sizes * image.shape[1:]).min())


def _place(image: MetaTensor) -> str:
    return str(image.meta["filename_or_obj"])
